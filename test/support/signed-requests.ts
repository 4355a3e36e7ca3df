import { createHash } from 'node:crypto';
import { type S3Answer, sendS3 } from './s3-client.ts';
import { ADMIN_KEY } from './s3-server.ts';
import type { KeyPair } from './sign-form.ts';
import { headersV4 } from './sign-request.ts';

/** Requests with a signature of version 4 in their header: the admin's unless told. */

export interface SignedRequest {
  readonly pair?: KeyPair;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A bucket's own Host; else that of the server. */
  readonly host?: string;
  /** Milliseconds since 1970. */
  readonly time?: number;
}

export type SendSigned = (
  method: string,
  path: string,
  options?: SignedRequest,
) => Promise<S3Answer>;

export function signedRequests(server: {
  readonly url: string;
  readonly host: string;
}): SendSigned {
  return (method, path, { pair = ADMIN_KEY, host = server.host, body, ...options } = {}) => {
    const sent = body === undefined ? {} : { body };
    const headers = headersV4({ pair, method, path, host, ...options, ...sent });
    return sendS3(server.url, { method, path, headers, ...sent });
  };
}

export function md5Base64(text: string): string {
  return createHash('md5').update(text).digest('base64');
}
