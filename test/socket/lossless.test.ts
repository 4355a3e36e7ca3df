import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { ask, type Client, connect, request } from './client.ts';

/** Texts that do not survive JSON.parse and JSON.stringify. */
const TEXTS = [
  '{"b":1.0,"a":1e2,"10":1,"2":2}',
  '{"big":123456789012345678901234567890,"small":1e-400,"minus":-0}',
  '{"__proto__":{"a":1},"constructor":null}',
  '{"twice":1,"twice":2}',
  ' [ 1 ,\n\t"\\u0041\\/" , "\\ud800" ]\r\n',
  '[]',
  '{}',
];
const JSON_TEXT = { 'content-type': 'application/json', accept: 'text/plain' };

let server: TestServer;
let rest: Rest;
let client: Client;
beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  client = await connect(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describe('text through envelopes', () => {
  it('is stored as sent and comes back as stored', async () => {
    for (const [at, text] of TEXTS.entries()) {
      const url = `/data/text-${at}`;
      const created = await request(client, 'POST', url, text, JSON_TEXT);
      expect(created, text).toMatchObject({ status: 201, data: text });
      expect((await rest('GET', url)).text).toBe(text);
      const read = await request(client, 'GET', url, undefined, { accept: 'text/plain' });
      expect(read, text).toMatchObject({ status: 200, data: text });
    }
  });

  it('replaces and patches without loss', async () => {
    await request(client, 'POST', '/data/patched', TEXTS[0], JSON_TEXT);
    const put = await request(client, 'PUT', '/data/patched', '{"x":1.50,"y":1}', JSON_TEXT);
    expect(put).toMatchObject({ status: 200, data: '{"x":1.50,"y":1}' });
    const patched = await request(client, 'PATCH', '/data/patched', '{"y":2.0}', JSON_TEXT);
    expect(patched).toMatchObject({ status: 200, data: '{"x":1.50,"y":2.0}' });
    expect((await rest('GET', '/data/patched')).text).toBe('{"x":1.50,"y":2.0}');
  });

  it('is read as JSON.parse reads it where plain text is not accepted', async () => {
    const text = '{"a":1.0,"__proto__":{"b":2}}';
    const created = await request(client, 'POST', '/data/parsed', text, {
      'content-type': 'application/json',
    });
    expect(created.status).toBe(201);
    expect(JSON.stringify(created.data)).toBe('{"a":1,"__proto__":{"b":2}}');
    expect(JSON.stringify((await request(client, 'GET', '/data/parsed')).data)).toBe(
      '{"a":1,"__proto__":{"b":2}}',
    );
  });

  it('takes media types in any case and with parameters: RFC 9110, 8.3.1', async () => {
    const headers = {
      'content-type': 'Application/JSON; charset=UTF-8',
      accept: 'Text/Plain; charset=utf-8',
    };
    const created = await request(client, 'POST', '/data/media-case', '{"a":1.0}', headers);
    expect(created).toMatchObject({ status: 201, data: '{"a":1.0}' });
  });

  it.each([
    ['broken', '{"a":1'],
    ['a scalar', '"text"'],
    ['bare words', 'sgdgsdjhgsjdskgd'],
    ['nested 1,001 deep', `${'['.repeat(1_001)}${']'.repeat(1_001)}`],
    // There are no bytes of UTF-8 for it: to store anything else would be a loss.
    ['not well-formed', '{"a":"\ud800"}'],
  ])('is refused where it is %s, and nothing is stored', async (_name, text) => {
    const refused = await request(client, 'POST', '/data/refused', text, JSON_TEXT);
    expect(refused.status).toBe(400);
    expect((await rest('GET', '/data/refused')).status).toBe(404);
  });

  it('is taken up to 1,000 levels deep, and answered both ways', async () => {
    const text = `${'['.repeat(1_000)}${']'.repeat(1_000)}`;
    const created = await request(client, 'POST', '/data/deep', text, JSON_TEXT);
    expect(created).toMatchObject({ status: 201, data: text });
    expect(JSON.stringify((await request(client, 'GET', '/data/deep')).data)).toBe(text);
  });

  it('round-trips for any JSON value, as text and as data', async () => {
    const url = '/data/any';
    await request(client, 'POST', url);
    const document = fc.oneof(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
      fc.array(fc.jsonValue()),
    );
    await fc.assert(
      fc.asyncProperty(document, fc.nat({ max: 3 }), async (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const asText = await request(client, 'PUT', url, text, JSON_TEXT);
        expect(asText).toMatchObject({ status: 200, data: text });
        expect((await rest('GET', url)).text).toBe(text);
        const asData = await request(client, 'PUT', url, value);
        expect(JSON.stringify(asData.data)).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('binary attachments', () => {
  it('are refused in data, wherever they are, and never stored', async () => {
    const binary = Buffer.from('{"a":1}');
    for (const data of [
      binary,
      { a: binary },
      [[{ deep: new Uint8Array(3) }]],
      { a: new ArrayBuffer(2), type: 'Buffer' },
      { empty: Buffer.alloc(0) },
    ]) {
      for (const headers of [undefined, { 'content-type': 'application/json' }]) {
        const refused = await request(client, 'POST', '/data/binary', data, headers);
        expect(refused).toMatchObject({ status: 400, data: { error: expect.any(String) } });
      }
    }
    expect((await rest('GET', '/data/binary')).status).toBe(404);
  });

  it('are refused as the envelope, its url and its method', async () => {
    const binary = Buffer.from('/data/x');
    for (const envelope of [binary, { url: binary, method: 'GET' }, { url: '/', method: binary }]) {
      expect(await ask(client, envelope)).toMatchObject({
        status: 400,
        data: { error: expect.any(String) },
      });
    }
  });

  it('are no more than what they look like when written as JSON', async () => {
    const lookalike = { type: 'Buffer', data: [1, 2] };
    const created = await request(client, 'POST', '/data/lookalike', lookalike);
    expect(created).toMatchObject({ status: 201, data: lookalike });
  });
});
