import { type ErrorCode, errorStatus } from '../errors.ts';

/** What the server's answer means, or why there is none. */
export type ClientErrorCode =
  | ErrorCode
  /** No answer: whether a write was done is not known. */
  | 'network'
  /** None within the client's `timeoutMs`. */
  | 'timeout'
  /** An answer that no Keystow gives: of a proxy, perhaps. */
  | 'unexpected';

/** A member of a batch that failed. */
export interface BatchFailure {
  /** Its place in the batch. */
  readonly index: number;
  readonly url: string;
  readonly status: number;
  readonly code: ClientErrorCode;
  readonly message: string;
  /** What the document has now, where a precondition failed. */
  readonly etag?: string | undefined;
}

export interface ErrorDetails {
  readonly status?: number | undefined;
  readonly retryAfter?: number | undefined;
  readonly etag?: string | undefined;
  readonly s3Code?: string | undefined;
  readonly failures?: readonly BatchFailure[] | undefined;
  readonly oldest?: number | undefined;
  readonly cause?: unknown;
}

/** All that the client's calls reject with, but for what an AbortSignal gives as its reason. */
export class KeystowClientError extends Error {
  override readonly name = 'KeystowClientError';
  readonly code: ClientErrorCode;
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  /** After how many seconds to try again, where the server says so. */
  readonly retryAfter: number | undefined;
  /** What the document has now, where a precondition failed. */
  readonly etag: string | undefined;
  /** S3's own code, where an upload was refused. */
  readonly s3Code: string | undefined;
  /** Of a batch of which nothing was stored: what failed. */
  readonly failures: readonly BatchFailure[];
  /** Of a cursor that is gone: the oldest that works. */
  readonly oldest: number | undefined;

  constructor(code: ClientErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.status = details.status ?? 0;
    this.retryAfter = details.retryAfter;
    this.etag = details.etag;
    this.s3Code = details.s3Code;
    this.failures = details.failures ?? [];
    this.oldest = details.oldest;
  }
}

const codes = new Map<number, ErrorCode>();
for (const code of Object.keys(errorStatus)) {
  // Two codes are a 406: the first, which documents have.
  if (isErrorCode(code) && !codes.has(errorStatus[code])) codes.set(errorStatus[code], code);
}

export function codeOf(status: number): ClientErrorCode {
  return codes.get(status) ?? 'unexpected';
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorStatus, code);
}
