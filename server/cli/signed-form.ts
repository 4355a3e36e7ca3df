import type { ApiClient } from './api-client.ts';
import { readJson } from './json-answer.ts';

export interface SignedForm {
  url: string;
  /** In the order in which they are to be sent, the file behind them. */
  fields: Record<string, string>;
}

/** Asks for a form; `data` says what it is to allow, and the server knows the rest. */
export async function requestForm(client: ApiClient, data: object): Promise<SignedForm> {
  const response = await client.expect([202], {
    method: 'POST',
    path: '/api/v2/s3/create_signed_url',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ data })),
  });
  const { url, fields } = (await readJson(client, response, isFormAnswer, 'signed form')).data;
  return { url, fields };
}

function isFormAnswer(value: unknown): value is { data: SignedForm } {
  const { data }: { data?: unknown } = Object(value);
  const { url, fields }: { [Member in keyof SignedForm]?: unknown } = Object(data);
  return (
    typeof url === 'string' &&
    URL.canParse(url) &&
    /^https?:$/.test(new URL(url).protocol) &&
    typeof fields === 'object' &&
    fields !== null &&
    Object.values(fields).every((field) => typeof field === 'string')
  );
}
