import { Agent, type IncomingMessage, request } from 'node:http';
import { PASSWORD } from '../support/environment.ts';
import { basic } from '../support/rest.ts';
import {
  type Client,
  type ClientAnswer,
  type ClientRequest,
  decodeStrictly,
  etagNumber,
} from './client.ts';

/** REST over at most `connections` keep-alive connections; nothing is ever sent twice. */
export function createRestClient(base: string, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const authorization = basic('admin', PASSWORD);

  function send({ method, path, body, headers }: ClientRequest): Promise<ClientAnswer | undefined> {
    return new Promise((resolve) => {
      const bytes = body === undefined ? undefined : Buffer.from(body);
      const sent = request(base + path, {
        method,
        agent,
        headers: {
          authorization,
          ...(bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {}),
          ...headers,
        },
      });
      sent.once('error', () => resolve(undefined));
      sent.once('response', (response) => resolve(readAnswer(response)));
      sent.end(bytes);
    });
  }

  return { send, close: () => agent.destroy() };
}

async function readAnswer(response: IncomingMessage): Promise<ClientAnswer> {
  const status = response.statusCode ?? 0;
  const etag = etagNumber(response.headers.etag);
  const bytes = await readWhole(response);
  return { status, etag, text: bytes && decodeStrictly(bytes) };
}

async function readWhole(response: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}
