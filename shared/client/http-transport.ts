import { KeystowClientError } from './client-error.ts';
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

export function createHttpTransport(options: HttpOptions): HttpTransport {
  const closing = new AbortController();
  const authorization = options.credentials && basic(options.credentials);

  async function open({ method, path, body, contentType, headers, signal }: ClientRequest) {
    const signals = [closing.signal, ...(signal ? [signal] : [])];
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
      signal: AbortSignal.any(signals),
    } as const;
    try {
      return await options.fetch(options.base + path, init);
    } catch (error) {
      throw failure(error, signals);
    }
  }

  return {
    open,

    async send(request) {
      const limit = AbortSignal.timeout(options.timeoutMs);
      const signals = [limit, ...(request.signal ? [request.signal] : [])];
      try {
        const response = await open({ ...request, signal: AbortSignal.any(signals) });
        const text = await response.text();
        return {
          status: response.status,
          header: (name) => response.headers.get(name) ?? undefined,
          text,
        };
      } catch (error) {
        request.signal?.throwIfAborted();
        if (limit.aborted) throw tooLate(options.timeoutMs);
        throw failure(error, [closing.signal]);
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
