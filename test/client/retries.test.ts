import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientOptions } from '../../shared/client/client.ts';
import { createClient, type KeystowClientError } from '../../shared/client/index.ts';
import { admin } from '../socket/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { clientOver, TRANSPORTS } from './both-transports.ts';

/** What is asked again by itself, and what never is. */

interface Scripted {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** A client whose requests are answered so, one after the other; an Error is a lost connection. */
function scripted(answers: readonly (Scripted | Error)[], options: Partial<ClientOptions> = {}) {
  const asked: string[] = [];
  const left = [...answers];
  const client = createClient({
    url: 'http://keystow.invalid/',
    credentials: { username: 'ü', password: 'p:ß' },
    fetch: async (url, init) => {
      asked.push(`${init?.method} ${url}`);
      const answer = left.shift();
      if (!answer) throw new Error('Nobody expected that.');
      if (answer instanceof Error) throw answer;
      return new Response(answer.body ?? '{"error":"busy"}', answer);
    },
    ...options,
  });
  return { client, asked, left };
}

const LOST = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
const BUSY = { status: 503, headers: { 'retry-after': '0' } };
const MANY = { status: 429, headers: { 'retry-after': '0' } };
const FINE = { status: 200, body: '{"n":1}', headers: { etag: '"7"' } };

describe('reading', () => {
  it.each<[string, (Scripted | Error)[]]>([
    ['after a lost connection', [LOST]],
    ['after 503 with Retry-After', [BUSY]],
    ['after 503 without', [{ status: 503 }]],
    ['after 429', [MANY]],
    [
      'after what a proxy says',
      [
        { status: 502, body: '<html>' },
        { status: 504, body: '' },
      ],
    ],
  ])('is tried again %s', async (_name, failures) => {
    const { client, asked } = scripted([...failures, FINE]);
    expect(await client.documents.get('a')).toEqual({ key: 'a', etag: '"7"', value: { n: 1 } });
    expect(asked).toEqual(
      Array.from({ length: failures.length + 1 }, () => 'GET http://keystow.invalid/data/a'),
    );
  });

  it('is tried so often, and no more', async () => {
    const { client, asked } = scripted([LOST, LOST, LOST, FINE], { retries: 2 });
    await expect(client.documents.get('a')).rejects.toMatchObject({
      code: 'network',
      status: 0,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(asked).toHaveLength(3);
  });

  it('is not tried again where it cannot help', async () => {
    for (const status of [400, 401, 403, 404, 500, 507]) {
      const { client, asked } = scripted([{ status }, FINE]);
      await expect(client.documents.get('a')).rejects.toMatchObject({ status, message: 'busy' });
      expect(asked).toHaveLength(1);
    }
  });

  it('ends with its signal while it waits', async () => {
    const ending = new AbortController();
    const { client, asked } = scripted([{ status: 503, headers: { 'retry-after': '30' } }, FINE]);
    const reading = client.documents.get('a', { signal: ending.signal });
    await expect.poll(() => asked.length).toBe(1);
    ending.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });

  it('does not wait for as long as a server likes', async () => {
    const { client } = scripted([{ status: 503, headers: { 'retry-after': '3600' } }, FINE]);
    await expect(client.documents.get('a')).rejects.toMatchObject({ retryAfter: 3_600 });
  });
});

describe('writing', () => {
  it.each([BUSY, MANY])('is tried again where nothing was done', async (refusal) => {
    const { client, asked } = scripted([refusal, { ...FINE, status: 201 }]);
    expect((await client.documents.create('a', {})).etag).toBe('"7"');
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['lost connections', LOST],
    ['503 without Retry-After', { status: 503 }],
    ['500', { status: 500 }],
    ['504', { status: 504, body: '' }],
  ])('is not tried again after %s: it may have been done', async (_name, failed) => {
    for (const write of ['create', 'replace', 'delete', 'batch'] as const) {
      const { client, asked } = scripted([failed, FINE]);
      const { documents } = client;
      const writing = {
        create: () => documents.create('a'),
        replace: () => documents.replace('a', {}),
        delete: () => documents.delete('a'),
        batch: () => documents.batch([{ type: 'delete', key: 'a' }]),
      }[write];
      await expect(writing()).rejects.toMatchObject({ name: 'KeystowClientError' });
      expect(asked).toHaveLength(1);
    }
  });
});

describe('an export', () => {
  it('that breaks off says so, after what came whole', async () => {
    const { client } = scripted([FINE], {
      fetch: async () => {
        const lines = ['{"key":"a","etag":"\\"1\\"","value":{}}\n{"key":"b"'];
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            const line = lines.shift();
            if (line === undefined) controller.error(new TypeError('terminated'));
            else controller.enqueue(new TextEncoder().encode(line));
          },
        });
        return new Response(body);
      },
    });
    const exported = client.documents.export();
    expect((await exported.next()).value).toEqual({ key: 'a', etag: '"1"', value: {} });
    await expect(exported.next()).rejects.toMatchObject({ code: 'network' });
  });
});

describe('answers of something else', () => {
  it('with a success that is no JSON are unexpected', async () => {
    const { client } = scripted([{ status: 200, body: '<h1>Sign in</h1>' }]);
    await expect(client.documents.keys().next()).rejects.toMatchObject({
      name: 'KeystowClientError',
      code: 'unexpected',
    });
  });

  it('are unexpected', async () => {
    const { client } = scripted([{ status: 404, body: '<h1>Not Found</h1>' }]);
    await expect(client.documents.get('a')).rejects.toMatchObject({
      code: 'unexpected',
      status: 404,
    });
  });
});

describe('a key that is no text', () => {
  it('is refused before it is sent', async () => {
    const { client, asked } = scripted([]);
    await expect(client.documents.get('\ud800')).rejects.toMatchObject({ code: 'bad-request' });
    expect(asked).toEqual([]);
  });
});

describe('a request', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.stop());

  it.each(TRANSPORTS)('over %s ends when its time is over', async (transport) => {
    // Nobody listens there: fetch says so, soon, where the machine does not stand still.
    const timeoutMs = transport === 'REST' ? 30_000 : 200;
    const client = clientOver(transport, 'http://127.0.0.1:1', { timeoutMs, retries: 0 });
    const error = await client.documents.get('a').catch((thrown: KeystowClientError) => thrown);
    expect(error).toMatchObject({
      name: 'KeystowClientError',
      // The socket goes on trying until then.
      code: transport === 'REST' ? 'network' : 'timeout',
    });
    client.close();
    const slow = createClient({
      url: server.url,
      credentials: admin,
      timeoutMs: 50,
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        }),
    });
    await expect(slow.documents.get('a')).rejects.toMatchObject({ code: 'timeout' });
  });

  it('has credentials of any letters', async () => {
    const headers: unknown[] = [];
    const client = createClient({
      url: server.url,
      credentials: { username: 'ü', password: 'p:ß' },
      fetch: async (_url, init) => {
        headers.push(new Headers(init?.headers).get('authorization'));
        return new Response('{}');
      },
    });
    await client.documents.get('a');
    expect(headers).toEqual([`Basic ${Buffer.from('ü:p:ß').toString('base64')}`]);
  });
});
