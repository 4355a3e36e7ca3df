import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../support/long-runs.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/**
 * Many at once: one winner, and nothing lost. The server is a process of its own: it must accept
 * connections while its clients still open theirs.
 */

let server: ServerProcess;
let rest: Rest;

beforeAll(async () => {
  server = await startProcess();
  rest = createRest(server.url);
  // Verified once, so that what follows meets at the documents and not at bcrypt.
  await rest('GET', '/data');
});

afterAll(() => server.stop());

function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

describe('two hundred creates of one key at once', () => {
  it.each([
    ['POST', {}, 406],
    ['PUT', { 'if-none-match': '*' }, 412],
  ])('by %s: exactly one 201, and its document stays', async (method, headers, refusal) => {
    const path = `/data/one-${method}`;
    const answers = await times(200, (n) => rest(method, path, `{"n":${n}}`, { ...headers }));
    const winners = answers.filter(({ status }) => status === 201);
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ status }) => status === refusal)).toHaveLength(199);
    const read = await rest('GET', path);
    expect(read.text).toBe(winners[0]?.text);
    expect(read.headers.get('etag')).toBe(winners[0]?.headers.get('etag'));
  });

  it('by both methods', async () => {
    const answers = await times(200, (n) =>
      n % 2 === 0
        ? rest('POST', '/data/both', `{"n":${n}}`)
        : rest('PUT', '/data/both', `{"n":${n}}`, { 'if-none-match': '*' }),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });
});

describe('patches of one document at once', () => {
  it.each([
    ['application/json', (n: number) => `{"m${n}":${n}.0}`],
    ['application/merge-patch+json', (n: number) => `{"m${n}":${n}.0}`],
    ['application/json-patch+json', (n: number) => `[{"op":"add","path":"/m${n}","value":${n}.0}]`],
  ])('with distinct members as %s: all of them are there', async (type, patch) => {
    const path = `/data/patched-${encodeURIComponent(type)}`;
    const count = type === 'application/json' ? runs(120, 1_000) : runs(50, 200);
    await rest('POST', path, '{"first":1.0}');
    const headers = { 'content-type': type };
    const answers = await times(count, (n) => rest('PATCH', path, patch(n), headers));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map((answer) => answer.headers.get('etag'))).size).toBe(count);
    const { text, json } = await rest('GET', path);
    expect(Object.keys(Object(json))).toHaveLength(count + 1);
    for (let n = 0; n < count; n += 1) expect(text).toContain(`"m${n}":${n}.0`);
  });

  it('loses none to deletions and creations in between', async () => {
    await rest('POST', '/data/churn', '{}');
    const answers = await times(300, async (n) => {
      const method = ['PATCH', 'DELETE', 'POST'][n % 3] ?? '';
      const body = method === 'DELETE' ? undefined : '{"a":1}';
      return { method, status: (await rest(method, '/data/churn', body)).status };
    });
    const count = (method: string, status: number) =>
      answers.filter((answer) => answer.method === method && answer.status === status).length;
    expect(count('PATCH', 200) + count('PATCH', 404)).toBe(100);
    expect(count('DELETE', 204) + count('DELETE', 404)).toBe(100);
    expect(count('POST', 201) + count('POST', 406)).toBe(100);
    const exists = (await rest('GET', '/data/churn')).status === 200 ? 1 : 0;
    expect(1 + count('POST', 201) - count('DELETE', 204)).toBe(exists);
  });
});

describe('a race of reading, deciding and writing', () => {
  it('with If-Match loses no update', async () => {
    await rest('POST', '/data/counter', '{"n":0}');
    const clients = 8;
    const rounds = runs(4, 20);
    await times(clients, async () => {
      for (let done = 0; done < rounds; ) {
        const read = await rest('GET', '/data/counter');
        const { n } = JSON.parse(read.text);
        const headers = { 'if-match': read.headers.get('etag') ?? '' };
        const { status } = await rest('PUT', '/data/counter', `{"n":${n + 1}}`, headers);
        expect([200, 412]).toContain(status);
        if (status === 200) done += 1;
      }
    });
    expect((await rest('GET', '/data/counter')).json).toEqual({ n: clients * rounds });
  });

  it('with one ETag has one winner, whatever the method', async () => {
    for (let round = 0; round < 5; round += 1) {
      const path = `/data/winner-${round}`;
      const etag = (await rest('POST', path, '{}')).headers.get('etag') ?? '';
      const methods = ['PUT', 'PATCH', 'DELETE'];
      const answers = await times(30, (n) => {
        const method = methods[n % 3] ?? '';
        const body = method === 'DELETE' ? undefined : `{"n":${n}}`;
        return rest(method, path, body, { 'if-match': etag });
      });
      expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
      for (const { status } of answers) expect([200, 204, 404, 412]).toContain(status);
    }
  });
});

describe('writes of many clients', () => {
  it('get distinct consecutive numbers, and lists see all of them', async () => {
    const before = await rest('POST', '/data/many', '{}');
    const start = Number(before.headers.get('etag')?.replaceAll('"', ''));
    const answers = await times(300, (n) => rest('POST', `/data/many/${n}`, `{"n":${n}}`));
    const numbers = answers.map(({ headers }) => Number(headers.get('etag')?.replaceAll('"', '')));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 300 }, (_, index) => start + 1 + index),
    );
    const keys = (await rest('GET', '/data?prefix=many/')).json;
    expect(keys).toHaveLength(300);
  });

  it('are each read by whoever comes after the answer', async () => {
    await times(20, async (client) => {
      for (let n = 0; n < 10; n += 1) {
        const text = `{"client":${client},"n":${n}}`;
        const path = `/data/own-${client}`;
        const headers = n === 0 ? { 'if-none-match': '*' } : {};
        expect((await rest('PUT', path, text, { ...headers })).status).toBe(n === 0 ? 201 : 200);
        expect((await rest('GET', path)).text).toBe(text);
      }
    });
  });

  it('leave pages whole: what is there all the time is in every walk', async () => {
    const fixed = Array.from({ length: 40 }, (_, n) => `walk/${String(n).padStart(2, '0')}`);
    await times(fixed.length, (n) => rest('POST', `/data/${fixed[n]}`, '{}'));
    let isWalking = true;
    const churn = async (): Promise<void> => {
      for (let n = 0; isWalking; n = (n + 1) % fixed.length) {
        await rest('POST', `/data/${fixed[n]}-between`, '{}');
        await rest('DELETE', `/data/${fixed[n]}-between`);
      }
    };
    const walk = async (accept: string): Promise<string[]> => {
      const keys: string[] = [];
      let next: string | undefined = '/data?prefix=walk/&limit=3';
      while (next !== undefined) {
        const { text, headers } = await rest('GET', next, undefined, { accept });
        if (accept === 'application/json') keys.push(...JSON.parse(text));
        else
          keys.push(
            ...text
              .split('\n')
              .slice(0, -1)
              .map((line) => JSON.parse(line).key),
          );
        next = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
      }
      return keys;
    };
    const churning = [churn(), churn()];
    for (let round = 0; round < 5; round += 1) {
      for (const accept of ['application/json', 'application/x-ndjson']) {
        const keys = await walk(accept);
        expect(
          keys.filter((key) => !key.endsWith('-between')),
          accept,
        ).toEqual(fixed);
      }
    }
    isWalking = false;
    await Promise.all(churning);
  });
});
