import type { Envelope, EnvelopeAnswer } from '../envelope.ts';
import { KeystowClientError } from './client-error.ts';
import { closed, tooLate } from './http-transport.ts';
import type { ClientAnswer, ClientRequest, Transport } from './transport.ts';

/** What the client needs of a socket of socket.io-client 4. */
export interface ClientSocket {
  readonly connected: boolean;
  /** False once the client has to connect by itself. */
  readonly active: boolean;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
}

/** `io` of socket.io-client, or what calls it with more options. */
export type ConnectSocket = (
  url: string,
  options: { auth: { username: string; password: string } | Record<string, never> },
) => ClientSocket;

/** Until the socket is connected; rejects with the signal's reason, or `timeout`. */
export function connected(
  socket: ClientSocket,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  if (socket.connected) return Promise.resolve();
  // After a server that stopped, socket.io-client waits to be told.
  if (!socket.active) socket.connect();
  return new Promise((resolve, reject) => {
    let refusal: unknown;
    const end = (): void => {
      clearTimeout(timer);
      socket.off('connect', onConnect);
      socket.off('connect_error', onRefused);
      signal?.removeEventListener('abort', onAbort);
    };
    const onConnect = (): void => {
      end();
      resolve();
    };
    // It goes on trying by itself.
    const onRefused = (error: unknown): void => {
      refusal = error;
    };
    const onAbort = (): void => {
      end();
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      end();
      const message = refusal instanceof Error ? refusal.message : 'no answer';
      reject(new KeystowClientError('timeout', `The socket does not connect: ${message}.`));
    }, timeoutMs);
    socket.on('connect', onConnect);
    socket.on('connect_error', onRefused);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Envelopes, as text in both directions: numbers are kept as they are written. */
export function createSocketTransport(socket: ClientSocket, timeoutMs: number): Transport {
  let isClosed = false;

  function emit({ signal, ...request }: ClientRequest): Promise<ClientAnswer> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        socket.off('disconnect', onGone);
        signal?.removeEventListener('abort', onAbort);
      };
      const onGone = (reason: unknown): void => {
        end();
        const message = `The socket was closed before the answer: ${String(reason)}.`;
        reject(isClosed ? closed() : new KeystowClientError('network', message));
      };
      const onAbort = (): void => {
        end();
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        end();
        reject(tooLate(timeoutMs));
      }, timeoutMs);
      socket.on('disconnect', onGone);
      signal?.addEventListener('abort', onAbort, { once: true });
      socket.emit('http message', envelopeOf(request), (answer: EnvelopeAnswer) => {
        end();
        resolve(answerOf(answer));
      });
    });
  }

  return {
    async send(request) {
      request.signal?.throwIfAborted();
      if (isClosed) throw closed();
      // What is emitted before would be sent at some time, whatever became of its caller.
      await connected(socket, { timeoutMs, signal: request.signal });
      return emit(request);
    },

    close() {
      isClosed = true;
      socket.disconnect();
    },
  };
}

function envelopeOf({ method, path, body, contentType, headers }: ClientRequest): Envelope {
  return {
    method,
    url: path,
    headers: {
      ...headers,
      accept: 'text/plain',
      ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
    },
    ...(body === undefined ? {} : { data: body }),
  };
}

function answerOf({ status, headers, data }: EnvelopeAnswer): ClientAnswer {
  const byName = new Map(Object.entries(headers ?? {}));
  return {
    status,
    header: (name) => byName.get(name),
    // What the bridge itself refuses comes as data.
    text: data === undefined ? '' : typeof data === 'string' ? data : JSON.stringify(data),
  };
}
