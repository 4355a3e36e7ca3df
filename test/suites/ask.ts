import { expect } from 'vitest';
import { type S3Answer, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, type S3Server } from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';
import { headersV4 } from '../support/sign-request.ts';

/** What published compatibility suites ask of S3, said in requests of our own. */

export interface Asked {
  readonly method?: string;
  /** Percent-encoded, with its query. */
  readonly path: string;
  /** Signed; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The admin's unless told; null sends no signature. */
  readonly pair?: KeyPair | null;
}

export function ask(server: S3Server, asked: Asked): Promise<S3Answer> {
  const { method = 'GET', path, headers = {}, body, pair = ADMIN_KEY } = asked;
  const signed = pair
    ? headersV4({ pair, host: server.host, method, path, headers, body: body ?? '' })
    : headers;
  const hasBody = body !== undefined || method === 'PUT' || method === 'POST';
  return sendS3(server.url, {
    method,
    path,
    headers: signed,
    ...(hasBody ? { body: body ?? '' } : {}),
  });
}

/** The same for what has to go well. */
export async function done(server: S3Server, asked: Asked): Promise<S3Answer> {
  const answer = await ask(server, asked);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer;
}

/** The texts of all elements of the name. */
export function textsOf({ text }: S3Answer, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(
    ([, inner = '']) => inner,
  );
}
