/** The one table from an error's code to its HTTP status. */
export const errorStatus = {
  'bad-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'already-exists': 406,
  'not-acceptable': 406,
  conflict: 409,
  gone: 410,
  'precondition-failed': 412,
  'too-large': 413,
  'unsupported-media-type': 415,
  'too-many-requests': 429,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
  'disk-full': 507,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/**
 * A failure whose message is meant for the client: one sentence that says what to change.
 * Anything else that is thrown reaches the client as a 500 without its message.
 */
export class KeystowError extends Error {
  override readonly name = 'KeystowError';
  readonly code: ErrorCode;
  /** Headers that the answer needs besides its body, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the answer's body has besides `error`. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      headers?: Record<string, string>;
      members?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }

  get status(): number {
    return errorStatus[this.code];
  }
}
