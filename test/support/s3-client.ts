import { Agent, request } from 'node:http';
import { expect } from 'vitest';

/** Requests to the S3 routes over node:http, whose path, Host and body go as they are given. */

export interface S3Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** More than one piece is sent chunked. */
  readonly body?: Buffer | string | readonly Buffer[];
  readonly localAddress?: string;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** Every element that holds nothing but text, by its name. */
  readonly xml: Readonly<Record<string, string>>;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export function sendS3(base: string, options: S3Request): Promise<S3Answer> {
  const { method = 'GET', path, headers = {}, body, localAddress } = options;
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: hostname,
        port,
        method,
        path,
        headers,
        agent,
        ...(localAddress === undefined ? {} : { localAddress, agent: false }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        incoming.on('end', () => {
          const answered = new Headers();
          for (const [name, values] of Object.entries(incoming.headersDistinct)) {
            for (const value of values ?? []) answered.append(name, value);
          }
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: answered,
            bytes,
            text,
            get xml() {
              return readMembers(text);
            },
          });
        });
      },
    );
    outgoing.on('error', reject);
    const isChunked = Array.isArray(body);
    if (isChunked) {
      for (const piece of body) outgoing.write(piece);
    } else if (typeof body === 'string' || Buffer.isBuffer(body)) {
      outgoing.setHeader('content-length', Buffer.byteLength(body));
      outgoing.write(body);
    }
    outgoing.end();
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

export function readMembers(xml: string): Record<string, string> {
  const members: Record<string, string> = {};
  for (const [, name = '', text = ''] of xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)) {
    members[name] = text.replace(/&(?:#x([\da-f]+)|([a-z]+));/gi, (whole, code, entity) =>
      code ? String.fromCodePoint(Number.parseInt(code, 16)) : (ENTITIES[entity] ?? whole),
    );
  }
  return members;
}

/**
 * What every failure of an S3 route answers: its status, S3's XML with the members given, one
 * sentence as its message, and nothing of what success has.
 */
export function expectS3Error(
  answer: S3Answer,
  status: number,
  code: string,
  members: Readonly<Record<string, unknown>> = {},
): void {
  expect([answer.status, answer.xml['Code']], answer.text).toEqual([status, code]);
  expect(answer.text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<Error><Code>/);
  expect(answer.xml).toMatchObject({
    Message: expect.stringMatching(/^\S.*\S$/),
    RequestId: answer.headers.get('x-amz-request-id'),
    HostId: answer.headers.get('x-amz-id-2'),
    ...members,
  });
  expect(answer.text).not.toMatch(/ at \S+:\d+:\d+|node:internal|\.[jt]s:\d/);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'application/xml',
    'x-content-type-options': 'nosniff',
    'access-control-allow-origin': '*',
  });
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  expect(answer.headers.get('etag')).toBeNull();
  expect(answer.headers.get('location')).toBeNull();
}
