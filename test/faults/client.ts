/** What the writers of these tests send and get, whichever way it travels. */

export interface ClientRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ClientAnswer {
  readonly status: number;
  /** Undefined where the answer has no ETag. */
  readonly etag: number | undefined;
  /** Undefined where the connection broke off within the body: the status was said all the same. */
  readonly text: string | undefined;
}

export interface Client {
  /** Undefined: the connection broke off before there was an answer. */
  send(request: ClientRequest): Promise<ClientAnswer | undefined>;
  close(): void;
}

/** The number in an ETag such as `"12"`. */
export function etagNumber(etag: string | undefined): number | undefined {
  const digits = /^"(\d+)"$/.exec(etag ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Throws where the bytes are not UTF-8: a torn document must not be mended by decoding it. */
export function decodeStrictly(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
