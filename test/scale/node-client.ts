import { Agent, type IncomingMessage, request } from 'node:http';
import { PASSWORD } from '../support/environment.ts';
import { basic } from '../support/rest.ts';

/** HTTP with connections of its own, over which nothing is ever sent twice. */
export interface NodeClient {
  /** Undefined: the connection broke off, or nothing was heard for long. */
  send(method: string, path: string, body?: string | Buffer): Promise<NodeAnswer | undefined>;
  close(): void;
}

export interface NodeAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
}

/** Longer than a node waits for its database. */
const GIVE_UP_MS = 40_000;
/** A node whose connections to the database are all in use for 5 s answers 503: thousands at once meet that. */
const MAX_SOCKETS = 32;

export function createNodeClient(base: string): NodeClient {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  return {
    send(method, path, body) {
      return new Promise((resolve) => {
        const sent = request(base + path, {
          method,
          agent,
          timeout: GIVE_UP_MS,
          headers: {
            authorization: basic('admin', PASSWORD),
            ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
        });
        sent.once('timeout', () => sent.destroy());
        sent.once('error', () => resolve(undefined));
        sent.once('response', (response) =>
          readAnswer(response).then(resolve, () => resolve(undefined)),
        );
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(response: IncomingMessage): Promise<NodeAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    etag: response.headers.etag,
    retryAfter: response.headers['retry-after'],
    body: Buffer.concat(chunks),
  };
}
