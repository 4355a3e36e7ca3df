import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { openRaw } from '../support/raw-http.ts';
import type { RestAnswer } from '../support/rest.ts';
import { AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import { CREATE, SUBMIT } from './forms.ts';

/** What the two routes refuse: 400 with one sentence, and what they take all the same. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

/** That says where, and what to do: not a dump of the schema. */
const SENTENCE = /^[^\n]{10,300}[.]$/;

function expectSentence(answer: RestAnswer, status: number, about?: string): void {
  expectError(answer, status, SENTENCE);
  const { error } = answer.json as { error: string };
  expect(error).not.toMatch(/^[^:]*: Invalid input\.$/);
  if (about !== undefined) expect(error).toContain(about);
}

const post = (body: unknown, headers: Record<string, string> = {}): Promise<RestAnswer> =>
  server.admin('POST', CREATE, body, headers);

describe('the command', () => {
  it.each([
    ['command', { command: 'DeleteEverything' }],
    ['command', { command: '' }],
    ['command', { command: 7 }],
    ['command', { command: 'createsigneds3formdata' }],
    ['uuid', { uuid: 7 }],
    ['uuid', { uuid: { a: 1 } }],
    ['uuid', { uuid: 'x'.repeat(257) }],
    ['the body', []],
    ['the body', '"a string"'],
    ['the body', 'null'],
    ['the body', '7'],
    ['JSON', '{"uuid":'],
    ['JSON', 'uuid=1'],
    ['UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])('about %s, case %#, is refused', async (about, body) => {
    expectSentence(await post(body), 400, about);
  });

  it('wants JSON, and not much of it', async () => {
    expectSentence(await post('{}', { 'content-type': 'text/plain' }), 415, 'application/json');
    expectSentence(await post({ data: { x: 'x'.repeat(1_100_000) } }), 413);
  });

  it.each([
    {},
    { uuid: null, command: null, data: null, async: null },
    { command: 'CreateSignedS3FormData', async: true },
    { async: 'yes', unknown: 'member' },
  ])('%j is fine, with a new uuid', async (body) => {
    const answers = [await post(body), await post(body)];
    const uuids = answers.map(({ status, json }) => {
      expect(status).toBe(202);
      expect(json).toMatchObject({ status: 'accepted', meta: {}, uuid: expect.any(String) });
      expect(Object.keys(json as object)).toEqual(['status', 'meta', 'uuid', 'data']);
      return (json as { uuid: string }).uuid;
    });
    for (const uuid of uuids) expect(uuid).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(uuids[0]).not.toBe(uuids[1]);
  });

  it.each(['e090cbd2', 'any "text" ü', 'x'.repeat(256)])(
    'echoes the uuid of case %#',
    async (uuid) => {
      expect((await post({ uuid })).json).toMatchObject({ uuid });
    },
  );

  it('may have no body at all, with and without a length', async () => {
    expect((await post(undefined)).status).toBe(202);
    const { authorization } = AS_ADMIN;
    const head = `POST ${CREATE} HTTP/1.1\r\nHost: ${server.host}\r\nAuthorization: ${authorization}\r\n`;
    for (const rest of [
      '\r\n',
      'Content-Length: 0\r\n\r\n',
      'Content-Type: application/json\r\nContent-Length: 0\r\n\r\n',
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ]) {
      const raw = await openRaw(server.url);
      raw.send(head + rest);
      expect((await raw.answer()).status, rest).toBe(202);
      raw.destroy();
    }
  });
});

describe('data', () => {
  const LONE = '"\\ud800"';

  it.each([
    ['bucket', 7],
    ['bucket', null],
    ['key', ''],
    ['key', 7],
    ['key', 'x'.repeat(1_025)],
    ['key', 'ü'.repeat(513)],
    ['prefix', ''],
    ['prefix', ['a']],
    ['filename', ''],
    ['filename', 'x'.repeat(256)],
    ['contentType', ''],
    ['contentType', 'text/plain\r\nX-Evil: 1'],
    ['contentType', 'x'.repeat(256)],
    ['contentType', 7],
    ['acl', 'everybody'],
    ['acl', ''],
    ['minBytes', -1],
    ['minBytes', '5'],
    ['minBytes', 1.5],
    ['maxBytes', -1],
    ['maxBytes', 1e300],
    ['maxBytes', null],
    ['expiresIn', 0],
    ['expiresIn', -5],
    ['expiresIn', 604_801],
    ['expiresIn', '60'],
    ['expiresIn', 0.5],
    ['successActionStatus', 202],
    ['successActionStatus', '303'],
    ['successActionStatus', true],
    ['successActionRedirect', 'not a URL'],
    ['successActionRedirect', 'javascript:alert(1)'],
    ['successActionRedirect', 'ftp://app.example/'],
    ['successActionRedirect', '/relative'],
    ['successActionRedirect', 7],
    ['metadata', 'a=1'],
    ['metadata', ['a']],
    ['metadata', { 'a b': '1' }],
    ['metadata', { '': '1' }],
    ['metadata', { 'a\r\nb': '1' }],
    ['metadata', { a: 1 }],
    ['metadata', { a: '1', A: '2' }],
    ['metadata', { a: 'x'.repeat(2_048) }],
    ['metadata', { a: 'x'.repeat(1_500), b: 'x'.repeat(600) }],
    ['signatureVersion', 3],
    ['signatureVersion', 'v1'],
    ['signatureVersion', null],
    ['unknown', 1],
  ])('refuses %s, case %#', async (name, value) => {
    expectSentence(await post({ data: { [name]: value } }), 400, name);
  });

  it.each(['key', 'prefix', 'filename', 'contentType', 'successActionRedirect', 'metadata'])(
    'refuses a lone surrogate in %s',
    async (name) => {
      const text = name === 'successActionRedirect' ? '"http://a/\\ud800"' : LONE;
      const value = name === 'metadata' ? `{"a":${text}}` : text;
      expectSentence(await post(`{"data":{"${name}":${value}}}`), 400, name);
    },
  );

  it('refuses what goes ill together', async () => {
    expectSentence(await post({ data: { minBytes: 5, maxBytes: 4 } }), 400, 'minBytes');
    expectSentence(await post({ data: { minBytes: 2 ** 50 } }), 400, 'minBytes');
    const prefix = 'x'.repeat(1_000);
    // S3's own words, which have no full stop.
    expectError(await post({ data: { prefix, filename: 'a.png' } }), 400, 'Your key is too long');
    expectSentence(await post({ data: { key: 'a\0b' } }), 400, 'NUL');
  });

  it('refuses what makes a form that no upload may have', async () => {
    const successActionRedirect = `https://app.example/?${'x'.repeat(15_000)}`;
    expectSentence(await post({ data: { successActionRedirect } }), 400, '20480');
  });

  it('has no members from its prototype', async () => {
    const answer = await post('{"data":{"__proto__":{"bucket":"elsewhere"}}}');
    if (answer.status === 202) expect(answer.text).toContain('/uploads"');
    else expectSentence(answer, 400);
  });
});

describe('files to submit', () => {
  it.each([
    ['fileName', {}],
    ['fileName', [{}]],
    ['fileName', [{ fileName: 'a' }, { fileName: 7 }]],
    ['fileName', { fileName: '' }],
    ['fileName', { fileName: 'x'.repeat(256) }],
    ['fileName', { fileName: 'ü'.repeat(128) }],
    ['fileName', '{"fileName":"\\udc00"}'],
    ['spektrDataField', { fileName: 'a', spektrDataField: 7 }],
    ['spektrDataField', { fileName: 'a', spektrDataField: '' }],
    ['spektrDataField', { fileName: 'a', spektrDataField: 'x'.repeat(256) }],
    ['spektrDataField', { fileName: 'a', spektrDataField: null }],
    [undefined, []],
    [undefined, 'null'],
    [undefined, '"a.png"'],
    [undefined, ['a.png']],
    [undefined, Array.from({ length: 101 }, () => ({ fileName: 'a' }))],
    ['JSON', '[{'],
  ])('about %s, case %#, is refused', async (about, body) => {
    expectSentence(await server.admin('POST', SUBMIT, body), 400, about);
  });

  it('need a body', async () => {
    expectSentence(await server.admin('POST', SUBMIT), 400);
  });
});

it('other methods are refused, and paths beside them', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await server.admin(method, CREATE);
    expectError(answer, 405);
    expect(answer.headers.get('allow')).toContain('POST');
  }
  for (const method of ['PUT', 'DELETE']) {
    const answer = await server.admin(method, SUBMIT);
    expectError(answer, 405);
    expect(answer.headers.get('allow')).toMatch(/GET.*POST|POST.*GET/);
  }
  expectError(await server.admin('POST', `${SUBMIT}/x`, { fileName: 'a' }), 404);
  expectError(await server.admin('POST', '/api/v1/s3/create_signed_url', {}), 404);
});
