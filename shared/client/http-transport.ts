import { KeystowClientError } from './client-error.ts';
import { joinSignals } from './join-signals.ts';
import type { ClientRequest, Transport } from './transport.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface HttpTransport extends Transport {
  /** The answer with its body unread, whatever its status and however long it takes. */
  open(request: ClientRequest): Promise<Response>;
}

export interface HttpOptions {
  /** Without a slash at its end. */
  readonly base: string;
  readonly credentials: Credentials | undefined;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

/** fetch resolves these, and would ask for something else: https://url.spec.whatwg.org/#double-dot-path-segment */
const DOT_SEGMENT = /^[^?]*\/\.\.?(?:[/?]|$)/;
const UNNAMED = 'No URL can name what is called . or .. alone: use a batch, or a socket.';

export function createHttpTransport(options: HttpOptions): HttpTransport {
  const closing = new AbortController();
  const authorization = options.credentials && basic(options.credentials);

  async function start(request: ClientRequest, signal: AbortSignal): Promise<Response> {
    const { method, path, body, contentType, headers } = request;
    if (DOT_SEGMENT.test(path)) throw new KeystowClientError('bad-request', UNNAMED);
    const init = {
      method,
      headers: {
        ...headers,
        ...(authorization ? { authorization } : {}),
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      // A page of the server itself has credentials that its browser knows.
      credentials: authorization ? 'omit' : 'same-origin',
      redirect: 'error',
      cache: 'no-store',
      signal,
    } as const;
    return options.fetch(options.base + path, init);
  }

  return {
    async open(request) {
      const signals = [closing.signal, ...(request.signal ? [request.signal] : [])];
      try {
        // How long the body is read is not known here, so nobody could release a joined signal.
        return await start(request, AbortSignal.any(signals));
      } catch (error) {
        throw failure(error, signals);
      }
    },

    async send(request) {
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(tooLate(options.timeoutMs)), options.timeoutMs);
      const signals = [closing.signal, limit.signal, ...(request.signal ? [request.signal] : [])];
      const { signal, release } = joinSignals(signals);
      try {
        const response = await start(request, signal);
        const text = await response.text();
        const header = (name: string) => response.headers.get(name) ?? undefined;
        return { status: response.status, header, text };
      } catch (error) {
        throw failure(error, signals);
      } finally {
        clearTimeout(timer);
        release();
      }
    },

    close() {
      closing.abort(closed());
    },
  };
}

/** RFC 7617, in UTF-8. */
export function basic({ username, password }: Credentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}

export function tooLate(timeoutMs: number): KeystowClientError {
  return new KeystowClientError('timeout', `There was no answer within ${timeoutMs} ms.`);
}

export function closed(): KeystowClientError {
  return new KeystowClientError('network', 'The client was closed.');
}

/** The reason of the signal that was aborted, or that the connection failed. */
export function failure(error: unknown, signals: readonly AbortSignal[]): unknown {
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted) return aborted.reason;
  if (error instanceof KeystowClientError) return error;
  return new KeystowClientError('network', `The connection failed: ${reasonOf(error)}.`, {
    cause: error,
  });
}

/** fetch says "fetch failed", and why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
