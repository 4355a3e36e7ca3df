import { KeystowClientError } from './client-error.ts';
import { backoff, pause } from './pause.ts';
import { type ClientAnswer, type ClientRequest, refusalOf, type Transport } from './transport.ts';

/** One request until it is answered: resolves with a success, rejects with what the server says else. */
export type Requests = (request: ClientRequest) => Promise<ClientAnswer>;

/** The longest wait that is asked for and kept, in seconds; with a longer one the error is the caller's. */
const MAX_RETRY_AFTER_SECONDS = 30;
const MAX_BACKOFF_MS = 5_000;

/** `retries` are the attempts after the first. */
export function createRequests(transport: Transport, retries: number): Requests {
  return async (request) => {
    for (let attempt = 0; ; attempt += 1) {
      const error = await attemptOnce(request).catch(asClientError);
      if (!(error instanceof KeystowClientError)) return error;
      const wait = attempt < retries ? waitBefore(request, error, attempt) : undefined;
      if (wait === undefined) throw error;
      await pause(wait, request.signal);
    }
  };

  async function attemptOnce(request: ClientRequest): Promise<ClientAnswer> {
    request.signal?.throwIfAborted();
    const answer = await transport.send(request);
    if (answer.status >= 400) throw refusalOf(answer);
    return answer;
  }
}

function asClientError(error: unknown): KeystowClientError {
  if (error instanceof KeystowClientError) return error;
  throw error;
}

/**
 * In milliseconds; undefined where another attempt could do something twice. With `Retry-After` the
 * server says that it has done nothing (429, 503); reading may be repeated whatever happened.
 */
export function waitBefore(
  { method }: ClientRequest,
  { status, code, retryAfter }: KeystowClientError,
  attempt: number,
): number | undefined {
  const isBusy = status === 429 || status === 503;
  if (isBusy && retryAfter !== undefined) {
    return retryAfter <= MAX_RETRY_AFTER_SECONDS ? retryAfter * 1_000 : undefined;
  }
  if (method !== 'GET') return undefined;
  const isPassing = isBusy || status === 502 || status === 504 || code === 'network';
  return isPassing ? backoff(attempt, MAX_BACKOFF_MS) : undefined;
}
