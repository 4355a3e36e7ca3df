import http from 'node:http';
import https from 'node:https';
import { IDLE_TIMEOUT_MS } from '../../shared/limits.ts';
import { EXIT_UNREACHABLE, ExitError, RefusedError } from './exit-error.ts';
import { brokenAnswer, errorCode, networkError, silence } from './network-error.ts';
import type { Trust } from './trust.ts';

/** Bytes of one answer that is read as a whole: a page of keys, the users, an error. */
const MAX_READ_BYTES = 64 * 1_048_576;

export interface Connection extends Trust {
  baseUrl: URL;
  user: string;
  password: string;
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query below the base URL, percent-encoded. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array;
}

/** REST with Basic credentials over kept-alive connections. `close()` lets the process end. */
export class ApiClient {
  readonly baseUrl: URL;
  readonly #request: typeof http.request;
  readonly #agent: http.Agent;
  readonly #options: https.RequestOptions;

  constructor(connection: Connection) {
    const { baseUrl, user, password, ca, insecure } = connection;
    const tls = baseUrl.protocol === 'https:';
    this.baseUrl = baseUrl;
    this.#request = tls ? https.request : http.request;
    this.#agent = tls
      ? new https.Agent({
          keepAlive: true,
          rejectUnauthorized: !insecure,
          ...(ca === undefined ? {} : { ca }),
        })
      : new http.Agent({ keepAlive: true });
    this.#options = {
      host: baseUrl.hostname.replace(/^\[|\]$/g, ''),
      port: baseUrl.port === '' ? (tls ? 443 : 80) : Number(baseUrl.port),
      agent: this.#agent,
      timeout: IDLE_TIMEOUT_MS,
      headers: {
        authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
        'user-agent': 'keystow-cli',
      },
    };
  }

  /**
   * Sends a request and waits for the head of its answer, whatever its status. The caller reads
   * the answer to its end (`readBody`, `skipBody`). Throws with exit code 3 when no answer came.
   */
  async send(request: ApiRequest): Promise<http.IncomingMessage> {
    try {
      return await this.#attempt(request);
    } catch (error) {
      if (error instanceof StaleConnection) {
        return await this.#attempt(request);
      }
      throw error;
    }
  }

  /** `send`, for an answer that must have one of these statuses; another is a RefusedError. */
  async expect(statuses: readonly number[], request: ApiRequest): Promise<http.IncomingMessage> {
    const response = await this.send(request);
    if (!statuses.includes(response.statusCode ?? 0)) {
      throw await this.refusal(response);
    }
    return response;
  }

  /** Reads an answer as a whole, 64 MiB at most. */
  async readBody(response: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.chunks(response)) {
      size += chunk.length;
      if (size > MAX_READ_BYTES) {
        throw new ExitError(EXIT_UNREACHABLE, `${this.baseUrl.origin} answers without end.`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  /** Reads an answer to its end, so that its connection can serve the next request. */
  async skipBody(response: http.IncomingMessage): Promise<void> {
    for await (const _ of this.chunks(response)) {
      // Nothing in it is of interest.
    }
  }

  /** The answer's bytes. Throws with exit code 3 when it breaks off before its proper end. */
  async *chunks(response: http.IncomingMessage): AsyncGenerator<Buffer> {
    const { headers } = response;
    const bounded =
      headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
    try {
      for await (const chunk of response) {
        yield chunk;
      }
    } catch (error) {
      throw brokenAnswer(this.baseUrl, error);
    }
    // RFC 9112, section 6.3: a body that only the connection's end delimits may have been cut.
    if (!response.complete || (!bounded && response.statusCode === 200)) {
      throw brokenAnswer(this.baseUrl, undefined);
    }
  }

  /** The server's own sentence from `{"error": …}`, or its status where there is none. */
  async refusal(response: http.IncomingMessage): Promise<RefusedError> {
    const status = response.statusCode ?? 0;
    const sentence = errorSentence(await this.readBody(response));
    const retryAfter = Number(response.headers['retry-after'] ?? Number.NaN);
    return new RefusedError(
      status,
      sentence ??
        `${this.baseUrl.origin} answered ${status} ${response.statusMessage}: is --url a Keystow server?`,
      Number.isFinite(retryAfter) ? retryAfter : undefined,
    );
  }

  close(): void {
    this.#agent.destroy();
  }

  #attempt(request: ApiRequest): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, path, headers, body } = request;
      const outgoing = this.#request({
        ...this.#options,
        method,
        path: this.baseUrl.pathname.replace(/\/$/, '') + path,
        headers: {
          ...this.#options.headers,
          ...(body === undefined ? {} : { 'content-length': String(body.length) }),
          ...headers,
        },
      });
      outgoing.once('response', resolve);
      outgoing.once('timeout', () => {
        outgoing.destroy(silence(this.baseUrl));
      });
      outgoing.on('error', (error) => {
        const stale = outgoing.reusedSocket && errorCode(error) === 'ECONNRESET';
        const repeatable = method === 'GET' || method === 'PUT';
        reject(stale && repeatable ? new StaleConnection() : networkError(this.baseUrl, error));
      });
      outgoing.end(body);
    });
  }
}

/** A kept-alive connection that the server closed just as it was used again: ask once more. */
class StaleConnection extends Error {}

function errorSentence(body: string): string | undefined {
  try {
    const { error }: { error?: unknown } = Object(JSON.parse(body));
    return typeof error === 'string' && error !== '' ? error : undefined;
  } catch {
    return undefined;
  }
}
