import { expect } from 'vitest';
import type { Rest, RestAnswer } from '../support/rest.ts';
import type { S3Answer } from '../support/s3-client.ts';
import type { S3Server, Upload } from '../support/s3-server.ts';
import type { Pairs } from '../support/sign-form.ts';

/** What the tests of signed forms ask for, and how they upload with what they get. */

export const CREATE = '/api/v2/s3/create_signed_url';
export const SUBMIT = '/submit-files';

export type Fields = Readonly<Record<string, string>>;

export interface Form {
  readonly url: string;
  readonly fields: Fields;
}

export interface Submission extends Form {
  readonly fileName: string;
  readonly spektrDataField?: string;
}

export interface Arrived {
  readonly key: string;
  readonly fileName: string;
  readonly size: number;
  readonly etag: string;
  readonly time: string;
  readonly spektrDataField?: string;
}

/** The form that `create_signed_url` answers with. */
export async function createForm(rest: Rest, data?: unknown): Promise<Form> {
  const answer = await rest('POST', CREATE, data === undefined ? undefined : { data });
  return formOf(answer);
}

export function formOf(answer: RestAnswer): Form {
  expect(answer.status, answer.text).toBe(202);
  const { data } = answer.json as { data: Form };
  return data;
}

export async function submit(rest: Rest, body: unknown): Promise<Submission[]> {
  const answer = await rest('POST', SUBMIT, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as Submission[];
}

export async function submitOne(rest: Rest, file: unknown = { fileName: 'f' }): Promise<Form> {
  const [form] = await submit(rest, file);
  if (!form) throw new Error('No form.');
  return form;
}

export async function arrived(rest: Rest): Promise<Arrived[]> {
  const answer = await rest('GET', SUBMIT);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as Arrived[];
}

/** Sends a form to the path of its `url`, with some fields changed, added, or taken away. */
export function sendForm(
  server: S3Server,
  { url, fields }: Form,
  change: Readonly<Record<string, string | undefined>> = {},
  upload: Partial<Upload> = {},
): Promise<S3Answer> {
  const pairs: Pairs = Object.entries({ ...fields, ...change }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return server.upload({ path: new URL(url).pathname, pairs, file: 'x', ...upload });
}

/** As a page or a script does: with `FormData`, the fields in their order and the file last. */
export function sendAsPage(
  { url, fields }: Form,
  file: string,
  fileName = 'blob',
): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([file]), fileName);
  return fetch(url, { method: 'POST', body: form, redirect: 'manual' });
}

export interface Policy {
  readonly expiration: string;
  readonly conditions: readonly unknown[];
}

export function policyOf({ fields }: Form): Policy {
  const { policy = fields['Policy'] ?? '' } = fields;
  return JSON.parse(Buffer.from(policy, 'base64').toString());
}
