import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** `If-Match` and `If-None-Match` on every method: RFC 9110, sections 13.1 and 13.2. */

let server: TestServer;
let rest: Rest;
let count = 0;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

/** A document of its own for each test. */
async function makeDocument(): Promise<{ path: string; key: string; etag: string }> {
  count += 1;
  const key = `document-${count}`;
  const { headers } = await rest('POST', `/data/${key}`, '{"first":1}');
  return { path: `/data/${key}`, key, etag: headers.get('etag') ?? '' };
}

const bodies: Record<string, string | undefined> = {
  PUT: '{"second":2}',
  PATCH: '{"second":2}',
  DELETE: undefined,
};
const success: Record<string, number> = { GET: 200, HEAD: 200, PUT: 200, PATCH: 200, DELETE: 204 };
const methods = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'];
const writes = ['PUT', 'PATCH', 'DELETE'];

describe('If-Match', () => {
  const matching = [
    (etag: string) => etag,
    () => '*',
    () => ' * ',
    (etag: string) => `"0", ${etag}`,
    (etag: string) => `${etag},"x"`,
    (etag: string) => `"a,b" ,, W/${etag},${etag} , `,
  ];
  it.each(methods)('lets %s through where it names the ETag', async (method) => {
    for (const header of matching) {
      const { path, etag } = await makeDocument();
      const answer = await rest(method, path, bodies[method], { 'if-match': header(etag) });
      expect(answer.status, header(etag)).toBe(success[method]);
    }
  });

  it.each(methods)('stops %s with 412 where it does not, and nothing changes', async (method) => {
    for (const header of [
      () => '"0"',
      // Strong comparison: a weak tag never matches.
      (etag: string) => `W/${etag}`,
      (etag: string) => `"x${etag.slice(1)}`,
      () => '"*"',
      () => '""',
      () => '"0", "1000000"',
    ]) {
      const { path, etag } = await makeDocument();
      const answer = await rest(method, path, bodies[method], { 'if-match': header(etag) });
      if (method === 'HEAD') expect([answer.status, answer.text]).toEqual([412, '']);
      else expectError(answer, 412);
      const read = await rest('GET', path);
      expect([read.text, read.headers.get('etag')]).toEqual(['{"first":1}', etag]);
    }
  });

  it('finds the ETag of a document that was written meanwhile outdated', async () => {
    const { path, etag } = await makeDocument();
    expect((await rest('PUT', path, '{}', { 'if-match': etag })).status).toBe(200);
    expectError(await rest('PUT', path, '{}', { 'if-match': etag }), 412);
  });

  it('is not fooled by a document deleted and made again: no A-B-A hole', async () => {
    const { path, etag } = await makeDocument();
    await rest('DELETE', path);
    await rest('POST', path, '{"first":1}');
    expectError(await rest('PUT', path, '{}', { 'if-match': etag }), 412);
    expect((await rest('GET', path, undefined, { 'if-none-match': etag })).status).toBe(200);
  });
});

describe('If-None-Match', () => {
  it.each(['GET', 'HEAD'])('answers %s with 304, its ETag and no body', async (method) => {
    for (const header of [
      (etag: string) => etag,
      (etag: string) => `W/${etag}`,
      () => '*',
      (etag: string) => `"0", ${etag}`,
    ]) {
      const { path, etag } = await makeDocument();
      const answer = await rest(method, path, undefined, { 'if-none-match': header(etag) });
      expect([answer.status, answer.text], header(etag)).toEqual([304, '']);
      expect(answer.headers.get('etag')).toBe(etag);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it.each(['GET', 'HEAD'])(
    'answers %s with 200 where no tag is the current one',
    async (method) => {
      const { path } = await makeDocument();
      for (const header of ['"0"', 'W/"0"', '"*"', '"0", "1000000"']) {
        const answer = await rest(method, path, undefined, { 'if-none-match': header });
        expect(answer.status, header).toBe(200);
      }
    },
  );

  it.each(writes)('stops %s with 412 where it names the ETag', async (method) => {
    for (const header of [(etag: string) => etag, (etag: string) => `W/${etag}`, () => '*']) {
      const { path, etag } = await makeDocument();
      const answer = await rest(method, path, bodies[method], { 'if-none-match': header(etag) });
      expectError(answer, 412);
      expect((await rest('GET', path)).headers.get('etag')).toBe(etag);
    }
  });

  it.each(writes)('lets %s through where it names another', async (method) => {
    const { path } = await makeDocument();
    const answer = await rest(method, path, bodies[method], { 'if-none-match': '"0"' });
    expect(answer.status).toBe(success[method]);
  });

  it('creates by PUT once: 201, then 412', async () => {
    const headers = { 'if-none-match': '*' };
    expect((await rest('PUT', '/data/put-once', '{"n":1}', headers)).status).toBe(201);
    expectError(await rest('PUT', '/data/put-once', '{"n":2}', headers), 412);
    expect((await rest('GET', '/data/put-once')).text).toBe('{"n":1}');
  });

  it('goes with POST, which creates anyway', async () => {
    const answer = await rest('POST', '/data/post-new', '{}', { 'if-none-match': '*' });
    expect(answer.status).toBe(201);
  });
});

describe('both headers', () => {
  it('must both hold', async () => {
    const { path, etag } = await makeDocument();
    const both = (ifMatch: string, ifNoneMatch: string) =>
      rest('PUT', path, '{}', { 'if-match': ifMatch, 'if-none-match': ifNoneMatch });
    expectError(await both(etag, etag), 412);
    expectError(await both('"0"', '"0"'), 412);
    expect((await both(etag, '"0"')).status).toBe(200);
  });

  it('makes a GET whose If-Match fails a 412, not a 304', async () => {
    const { path, etag } = await makeDocument();
    const headers = { 'if-match': '"0"', 'if-none-match': etag };
    expectError(await rest('GET', path, undefined, headers), 412);
  });
});

describe('404 and 406 come before 412', () => {
  it.each(methods)('on %s', async (method) => {
    const preconditions = [{ 'if-match': '"1"' }, { 'if-match': '*' }, { 'if-none-match': '"1"' }];
    for (const headers of preconditions) {
      const answer = await rest(method, '/data/absent', bodies[method], headers);
      if (method === 'HEAD') expect(answer.status).toBe(404);
      else expectError(answer, 404, 'absent not found.');
    }
  });

  it('on POST', async () => {
    const { path, key, etag } = await makeDocument();
    for (const headers of [
      { 'if-match': '"0"' },
      { 'if-match': etag },
      { 'if-none-match': '*' },
      { 'if-none-match': etag },
    ]) {
      expectError(await rest('POST', path, '{}', headers), 406, `${key} already exists.`);
    }
  });
});

describe('a precondition that cannot be read', () => {
  it.each(['7', 'abc', '"', '"a', 'W/', 'w/"1"', '"1" "2"', '*, "1"', '"1";"2"', ','])(
    'is refused with 400, never ignored: %s',
    async (header) => {
      const { path, etag } = await makeDocument();
      for (const name of ['if-match', 'if-none-match']) {
        for (const method of ['GET', ...writes]) {
          const answer = await rest(method, path, bodies[method], { [name]: header });
          expectError(answer, 400, new RegExp(name, 'i'));
        }
      }
      expect((await rest('GET', path)).headers.get('etag')).toBe(etag);
    },
  );
});

describe('a precondition of 15,000 characters', () => {
  it.each([
    ['spaces', `"a",${' '.repeat(15_000)}x`],
    ['commas', `${','.repeat(15_000)}x`],
    ['quotes', '"'.repeat(15_000)],
    ['weak marks', 'W/'.repeat(7_500)],
  ])('of %s is read in no time', async (_name, header) => {
    const { path } = await makeDocument();
    const times: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const begin = performance.now();
      expectError(await rest('GET', path, undefined, { 'if-none-match': header }), 400);
      times.push(performance.now() - begin);
    }
    // A quadratic reader takes half a second for each, in which nobody else is served.
    expect(Math.min(...times)).toBeLessThan(250);
  });
});

describe('headers of dates and ranges', () => {
  it('mean nothing here, where no Last-Modified is given', async () => {
    const { path } = await makeDocument();
    for (const headers of [
      { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
      { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:01 GMT' },
      { range: 'bytes=0-1' },
    ]) {
      const answer = await rest('GET', path, undefined, headers);
      expect([answer.status, answer.text]).toEqual([200, '{"first":1}']);
    }
  });
});
