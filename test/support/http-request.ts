import { Agent, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { PASSWORD } from './environment.ts';
import type { RestAnswer } from './rest.ts';
import { basic } from './rest.ts';

/** One request over node:http, where fetch would mend the path or choose the address itself. */
export interface HttpRequest {
  readonly method?: string;
  /** Sent as it is. */
  readonly path: string;
  /** Null: without credentials. */
  readonly credentials?: { readonly username: string; readonly password: string } | null;
  readonly headers?: Record<string, string>;
  /** More than one part is sent chunked. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  /** The loopback address to come from, such as 127.0.0.2. */
  readonly localAddress?: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export function sendRequest(base: string, options: HttpRequest): Promise<RestAnswer> {
  const { method = 'GET', path, headers = {}, body, localAddress } = options;
  const credentials =
    options.credentials === undefined
      ? { username: 'admin', password: PASSWORD }
      : options.credentials;
  const { protocol, hostname, port } = new URL(base);
  const isTls = protocol === 'https:';
  return new Promise((resolve, reject) => {
    const outgoing = (isTls ? requestTls : request)(
      {
        host: hostname,
        port,
        method,
        path,
        agent: isTls ? false : agent,
        rejectUnauthorized: false,
        ...(localAddress === undefined ? {} : { localAddress, agent: false }),
        headers: {
          ...(credentials && { authorization: basic(credentials.username, credentials.password) }),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        incoming.on('end', () => {
          const answer = new Headers();
          for (const [name, values] of Object.entries(incoming.headersDistinct)) {
            for (const value of values ?? []) answer.append(name, value);
          }
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: answer,
            text,
            get json() {
              return JSON.parse(text);
            },
          });
        });
      },
    );
    outgoing.on('error', reject);
    const parts = body === undefined ? [] : Array.isArray(body) ? body : [body];
    if (parts.length === 1) outgoing.setHeader('content-length', Buffer.byteLength(parts[0]));
    for (const part of parts) outgoing.write(part);
    outgoing.end();
  });
}
