/** Exit codes of every command; `--help` and docs/command-line.md say the same. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_UNREACHABLE = 3;
/** What a shell reports for a program that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;

/** A failure whose message is one sentence for the person at the terminal. */
export class ExitError extends Error {
  override readonly name: string = 'ExitError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The server answered, and the answer was no. */
export class RefusedError extends ExitError {
  override readonly name = 'RefusedError';
  readonly status: number;
  /** Seconds after which the server would like to be asked again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, retryAfterSeconds?: number) {
    super(EXIT_FAILED, message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Turns a failed file operation into a sentence such as `cannot read a.json: no such file or directory.` */
export function fileError(action: string, path: string, cause: unknown): ExitError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = /^[A-Z]\w+: ([^,]+)/.exec(message)?.[1] ?? message;
  return new ExitError(EXIT_FAILED, `cannot ${action} ${path}: ${reason}.`, { cause });
}
