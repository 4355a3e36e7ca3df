import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

const MEMBERS = 'application/json';
const MERGE = 'application/merge-patch+json';
const OPERATIONS = 'application/json-patch+json';
const types = [MEMBERS, MERGE, OPERATIONS];

let server: TestServer;
let rest: Rest;
let count = 0;

beforeAll(async () => {
  server = await startServer({ env: { MAX_DOCUMENT_BYTES: '4000' } });
  rest = createRest(server.url);
});

afterAll(() => server.stop());

/** Stores the document under a new key and patches it there. */
async function patchOf(
  type: string,
  document: string,
  patch: string | Uint8Array,
): Promise<RestAnswer & { path: string }> {
  count += 1;
  const path = `/data/patched-${count}`;
  await rest('POST', path, document);
  const answer = await rest('PATCH', path, patch, { 'content-type': type });
  return Object.assign(answer, { path });
}

async function expectRefused(type: string, document: string, patch: string, status: number) {
  const answer = await patchOf(type, document, patch);
  expectError(answer, status);
  expect((await rest('GET', answer.path)).text).toBe(document);
}

describe('PATCH', () => {
  it.each([
    [MEMBERS, '{"b":2}'],
    [MERGE, '{"b":2}'],
    [OPERATIONS, '[{"op":"add","path":"/b","value":2}]'],
  ])('as %s answers 200 with the document and its new ETag', async (type, patch) => {
    const answer = await patchOf(type, '{"a":1}', patch);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ a: 1, b: 2 });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const read = await rest('GET', answer.path);
    expect(read.text).toBe(answer.text);
    expect(read.headers.get('etag')).toBe(answer.headers.get('etag'));
  });

  it('without a content type sets members', async () => {
    await rest('POST', '/data/untyped', '{"a":{"b":1}}');
    const bytes = new TextEncoder().encode('{"a":{"c":2}}');
    const answer = await fetch(`${server.url}/data/untyped`, {
      method: 'PATCH',
      headers: { authorization: `Basic ${btoa(`admin:${server.password}`)}` },
      body: bytes,
    });
    expect([answer.status, await answer.text()]).toEqual([200, '{"a":{"c":2}}']);
  });

  it('takes a charset of UTF-8, and the type in any case', async () => {
    const answer = await patchOf('Application/Merge-Patch+JSON; charset=UTF-8', '{"a":1}', '{}');
    expect(answer.status).toBe(200);
  });

  it.each([
    'constructor',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'json',
  ])('as %s is 415, which names what is taken (RFC 5789, 2.2)', async (type) => {
    const answer = await patchOf(type, '{"a":1}', '{"a":2}');
    expectError(answer, 415, /merge-patch/);
    for (const taken of types) expect(answer.headers.get('accept-patch')).toContain(taken);
    expect((await rest('GET', answer.path)).text).toBe('{"a":1}');
  });

  it.each(types)('as %s answers 404 where the key is absent', async (type) => {
    const patch = type === OPERATIONS ? '[]' : '{}';
    const answer = await rest('PATCH', '/data/absent', patch, { 'content-type': type });
    expectError(answer, 404, 'absent not found.');
    expectError(await rest('GET', '/data/absent'), 404);
  });

  it.each(types)('as %s answers 400 to an empty or broken body', async (type) => {
    for (const patch of ['', ' ', '{', '[', 'x', '{"a":1}}']) {
      await expectRefused(type, '{"a":1}', patch, 400);
    }
    const invalid = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    expectError(await patchOf(type, '{"a":1}', invalid), 400, /UTF-8/);
  });

  it.each([MERGE, OPERATIONS])('cannot be sent as %s by POST or PUT', async (type) => {
    await rest('POST', '/data/no-patch', '{}');
    const headers = { 'content-type': type };
    expectError(await rest('POST', '/data/no-patch-2', '{}', headers), 415);
    expectError(await rest('PUT', '/data/no-patch', '{}', headers), 415);
  });

  it.each([
    [MEMBERS, (value: string) => `{"long":${value}}`],
    [MERGE, (value: string) => `{"long":${value}}`],
    [OPERATIONS, (value: string) => `[{"op":"add","path":"/long","value":${value}}]`],
  ])('as %s never leaves a document that could not be stored', async (type, patch) => {
    const document = `{"a":"${'x'.repeat(2_000)}"}`;
    await expectRefused(type, document, patch(`"${'x'.repeat(2_000)}"`), 413);
    await expectRefused(type, '{}', patch('['.repeat(1_000) + ']'.repeat(1_000)), 400);
    const deepest = await patchOf(type, '{}', patch('['.repeat(999) + ']'.repeat(999)));
    expect(deepest.status).toBe(200);
  });

  it.each([
    [MEMBERS, '{"new":1.50}'],
    [MERGE, '{"new":1.50,"gone":null}'],
    [OPERATIONS, '[{"op":"add","path":"/new","value":1.50},{"op":"remove","path":"/gone"}]'],
  ])(
    'as %s keeps the number text and the order of what it does not change',
    async (type, patch) => {
      const kept =
        '"one":1.0,"big":9007199254740993,"huge":1e400,"minus":-0,"exp":[1E+2,{"deep":0.10}],"__proto__":2.0,"2":1,"1":2';
      const document = `{${kept},"gone":true}`;
      const answer = await patchOf(type, document, patch);
      const gone = type === MEMBERS ? ',"gone":true' : '';
      expect(answer.text).toBe(`{${kept}${gone},"new":1.50}`);
    },
  );
});

describe('PATCH as application/json', () => {
  it('sets the named top-level members whole, creates missing ones, keeps the others', async () => {
    const answer = await patchOf(
      MEMBERS,
      '{"a":{"x":1,"y":2},"b":[1,2],"c":"kept"}',
      '{"a":{"x":3},"b":null,"d":{"new":true}}',
    );
    expect(answer.text).toBe('{"a":{"x":3},"b":null,"c":"kept","d":{"new":true}}');
  });

  it('sets __proto__ and constructor as ordinary members', async () => {
    const answer = await patchOf(MEMBERS, '{}', '{"__proto__":{"a":1},"constructor":2}');
    expect(answer.text).toBe('{"__proto__":{"a":1},"constructor":2}');
  });

  it.each(['[]', '"x"', '1', 'null', '[{"op":"remove","path":"/a"}]'])(
    'is an object of members, not %s',
    (patch) => expectRefused(MEMBERS, '{"a":1}', patch, 400),
  );

  it('cannot set members of an array', () => expectRefused(MEMBERS, '[1]', '{"a":1}', 409));

  it('agrees with a plain model', async () => {
    const record = fc.dictionary(
      fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('__proto__', 'a', 'b', '1', '')),
      fc.jsonValue({ maxDepth: 2 }),
      { maxKeys: 6, noNullPrototype: true },
    );
    await rest('POST', '/data/model', '{}');
    await fc.assert(
      fc.asyncProperty(record, record, async (document, patch) => {
        await rest('PUT', '/data/model', JSON.stringify(document));
        const answer = await rest('PATCH', '/data/model', JSON.stringify(patch));
        const expected = new Map([...Object.entries(document), ...Object.entries(patch)]);
        expect(answer.status).toBe(200);
        expect(new Map(Object.entries(Object(answer.json)))).toEqual(
          new Map(Object.entries(Object(JSON.parse(textOf(expected))))),
        );
      }),
      { numRuns: 40 },
    );
  });
});

/** JSON of members, `__proto__` among them. */
function textOf(members: ReadonlyMap<string, unknown>): string {
  const texts = [...members].map(([name, value]) => {
    return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  });
  return `{${texts.join(',')}}`;
}
