import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  AS_ADMIN,
  md5Hex,
  pathOf,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { presignV4 } from '../support/sign-request.ts';

/** GET, HEAD and DELETE of an object: ranges, conditions, keys, and what every answer has. */

let server: S3Server;
const SMALL = Buffer.from('0123456789');
const LARGE = Buffer.alloc(300_000, 'the quick brown fox ');
let lastModified = '';

beforeAll(async () => {
  server = await startS3Server();
  for (const [key, file] of [
    ['small', SMALL],
    ['large', LARGE],
    ['empty', Buffer.alloc(0)],
  ] as const) {
    await put(key, file, { acl: 'public-read' });
  }
  lastModified = (await get('small')).headers.get('last-modified') ?? '';
});

afterAll(() => server.stop());

async function put(key: string, file: Buffer | string = 'x', fields: Record<string, string> = {}) {
  const answer = await server.uploadSigned(
    { bucket: 'uploads', fields: { key, ...fields } },
    { file },
  );
  expect(answer.status, answer.text).toBe(204);
}

function get(key: string, headers: Record<string, string> = {}, method = 'GET') {
  return sendS3(server.url, { method, path: pathOf('uploads', key), headers });
}

describe('an object', () => {
  it.each(['small', 'large'])('comes whole with what every answer has: %s', async (key) => {
    const bytes = key === 'small' ? SMALL : LARGE;
    for (const method of ['GET', 'HEAD']) {
      const answer = await get(key, {}, method);
      expect(answer.status).toBe(200);
      expect(answer.bytes.equals(method === 'GET' ? bytes : Buffer.alloc(0))).toBe(true);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'binary/octet-stream',
        'content-length': String(bytes.length),
        etag: `"${md5Hex(bytes)}"`,
        'last-modified': expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/),
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
        'access-control-allow-origin': '*',
        'x-amz-request-id': expect.stringMatching(/./),
        'x-amz-id-2': expect.stringMatching(/./),
      });
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy.split(/; */)).toContain('sandbox');
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('allow-');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  it('is removed, and removing it again is no error', async () => {
    for (const size of [1, 100_000]) {
      await put('removed', Buffer.alloc(size));
      for (let times = 0; times < 2; times += 1) {
        const answer = await get('removed', AS_ADMIN, 'DELETE');
        expect(answer.status).toBe(204);
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      }
      await server.expectAbsent('uploads', 'removed');
      expectS3Error(await get('removed', AS_ADMIN), 404, 'NoSuchKey', {
        Message: 'The specified key does not exist.',
      });
      expect((await get('removed', AS_ADMIN, 'HEAD')).status).toBe(404);
    }
    // What is left are the bytes of `large`.
    await expect.poll(() => server.blobs()).toHaveLength(1);
  });

  it('leaves no bytes behind when it is replaced', async () => {
    for (let round = 0; round < 3; round += 1)
      await put('again', Buffer.alloc(100_000, `${round}`));
    await expect.poll(() => server.blobs()).toHaveLength(2);
    await put('again', 'small now');
    await expect.poll(() => server.blobs()).toHaveLength(1);
  });

  it.each(['PATCH', 'POST', 'FOO'])('%s is not what objects take', async (method) => {
    const answer = await get('small', AS_ADMIN, method === 'FOO' ? 'PROPFIND' : method);
    expect([405, 501]).toContain(answer.status);
    expectS3Error(answer, answer.status, answer.xml['Code'] ?? '');
  });

  it.each([
    ['torrent', 501, 'NotImplemented'],
    ['retention', 501, 'NotImplemented'],
    ['legal-hold', 501, 'NotImplemented'],
    ['uploadId=1', 404, 'NoSuchUpload'],
    ['versionId=1', 404, 'NoSuchVersion'],
  ])('?%s is another operation, never the object itself', async (query, status, code) => {
    for (const method of ['GET', 'DELETE']) {
      const answer = await sendS3(server.url, {
        method,
        path: `/uploads/small?${query}`,
        headers: AS_ADMIN,
      });
      expectS3Error(answer, status, code);
    }
    expect((await get('small')).status).toBe(200);
  });

  it('has one version, called null', async () => {
    const path = '/uploads/small?versionId=null';
    const answer = await sendS3(server.url, { path, headers: AS_ADMIN });
    expect([answer.status, answer.text]).toEqual([200, SMALL.toString()]);
  });
});

describe('Range', () => {
  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-9', 0, 9],
    ['bytes=2-4', 2, 4],
    ['bytes=5-', 5, 9],
    ['bytes=-3', 7, 9],
    ['bytes=-100', 0, 9],
    ['bytes=8-100', 8, 9],
    ['bytes=0-99999999999999999999', 0, 9],
    ['BYTES=2-4', 2, 4],
  ])('%s of ten bytes', async (range, start, end) => {
    for (const [key, bytes] of [
      ['small', SMALL],
      ['large', LARGE],
    ] as const) {
      if (key === 'large' && !/^bytes=\d-\d$/.test(range)) continue;
      const answer = await get(key, { range });
      expect(answer.status).toBe(206);
      expect(answer.bytes.equals(bytes.subarray(start, end + 1))).toBe(true);
      expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/${bytes.length}`);
      expect(answer.headers.get('content-length')).toBe(String(end - start + 1));
      expect(answer.headers.get('etag')).toBe(`"${md5Hex(bytes)}"`);
      expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    }
  });

  it('across what is read at a time', async () => {
    const answer = await get('large', { range: 'bytes=262100-262200' });
    expect(answer.status).toBe(206);
    expect(answer.bytes.equals(LARGE.subarray(262_100, 262_201))).toBe(true);
    expect((await get('large', { range: 'bytes=-1' })).bytes.equals(LARGE.subarray(-1))).toBe(true);
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '%s is not satisfiable',
    async (range) => {
      const answer = await get('small', { range });
      expectS3Error(answer, 416, 'InvalidRange', {
        Message: 'The requested range is not satisfiable',
        RangeRequested: range,
        ActualObjectSize: '10',
      });
      expect(answer.headers.get('content-range')).toBe('bytes */10');
      expect((await get('small', { range }, 'HEAD')).status).toBe(416);
    },
  );

  it('of nothing there is none', async () => {
    expect((await get('empty', { range: 'bytes=0-' })).status).toBe(416);
    const whole = await get('empty');
    expect([whole.status, whole.headers.get('content-length')]).toEqual([200, '0']);
  });

  it.each(['bytes=4-2', 'bytes=a-b', 'bytes=', 'bytes=-', 'items=0-1', '0-1', 'bytes=0-1,3-4'])(
    '%s counts as none',
    async (range) => {
      const answer = await get('small', { range });
      expect([answer.status, answer.text]).toEqual([200, '0123456789']);
    },
  );

  it('with If-Range: the whole where it names another state', async () => {
    const range = 'bytes=0-1';
    const etag = `"${md5Hex(SMALL)}"`;
    expect((await get('small', { range, 'if-range': etag })).status).toBe(206);
    expect((await get('small', { range, 'if-range': '"other"' })).status).toBe(200);
    expect((await get('small', { range, 'if-range': lastModified })).status).toBe(206);
    const earlier = 'Thu, 01 Jan 2015 00:00:00 GMT';
    expect((await get('small', { range, 'if-range': earlier })).status).toBe(200);
  });
});

describe('conditions', () => {
  const etag = `"${md5Hex(SMALL)}"`;
  const past = 'Thu, 01 Jan 2015 00:00:00 GMT';
  const future = 'Thu, 01 Jan 2099 00:00:00 GMT';

  it.each<[number, Record<string, string>]>([
    [200, { 'if-match': etag }],
    [200, { 'if-match': md5Hex(SMALL) }],
    [200, { 'if-match': '*' }],
    [200, { 'if-match': `"a", ${etag}` }],
    [412, { 'if-match': '"other"' }],
    [304, { 'if-none-match': etag }],
    [304, { 'if-none-match': `W/${etag}` }],
    [304, { 'if-none-match': '*' }],
    [200, { 'if-none-match': '"other"' }],
    [200, { 'if-modified-since': past }],
    [304, { 'if-modified-since': future }],
    [200, { 'if-modified-since': 'yesterday' }],
    [412, { 'if-unmodified-since': past }],
    [200, { 'if-unmodified-since': future }],
    [200, { 'if-match': etag, 'if-unmodified-since': past }],
    [304, { 'if-none-match': etag, 'if-modified-since': past }],
    [200, { 'if-none-match': '"other"', 'if-modified-since': future }],
    [412, { 'if-match': '"other"', 'if-none-match': etag }],
  ])('%i for %j', async (status, headers) => {
    const answer = await get('small', headers);
    expect(answer.status).toBe(status);
    expect((await get('small', headers, 'HEAD')).status).toBe(status);
    if (status === 412) {
      expectS3Error(answer, 412, 'PreconditionFailed', {
        Condition: expect.stringMatching(/^If-/),
      });
    } else {
      expect(answer.headers.get('etag')).toBe(etag);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.text).toBe(status === 304 ? '' : '0123456789');
    }
  });

  it('304 for what Last-Modified said', async () => {
    expect((await get('small', { 'if-modified-since': lastModified })).status).toBe(304);
    expect((await get('small', { 'if-unmodified-since': lastModified })).status).toBe(200);
  });

  it('do not tell strangers anything', async () => {
    await put('hidden');
    for (const headers of [
      { 'if-none-match': '*' },
      { 'if-match': '"x"' },
      { range: 'bytes=9-' },
    ]) {
      expectS3Error(await get('hidden', headers), 403, 'AccessDenied');
    }
  });
});

describe('keys', () => {
  const KEYS = [
    'a b',
    'a+b',
    'a%2Fb',
    'a%b',
    '%',
    '%zz',
    'a?b=c',
    'a#b',
    'a&b',
    'ünï/cödé/😀',
    '..',
    '.',
    '../secret',
    'a/../b',
    'a/./b',
    'a//b',
    '/leading',
    '//',
    '/',
    'folder/',
    'folder',
    'a\\b',
    'a:b',
    'C:\\x',
    '<a>&"\'',
    'a\nb',
    'a\u0001b',
    'a\u2028b',
    '~._-!*()',
    '__proto__',
    'k'.repeat(1_024),
    'ü'.repeat(512),
    'a\u0300',
    '\u00e0',
    'A',
    'a',
    ' ',
    'trailing ',
  ];

  it('are kept apart, whatever is in them', async () => {
    for (const key of KEYS) await put(key, `bytes of ${key}`);
    for (const key of KEYS) {
      const answer = await get(key, AS_ADMIN);
      expect([key, answer.status, answer.text]).toEqual([key, 200, `bytes of ${key}`]);
    }
    for (const key of KEYS) expect((await get(key, AS_ADMIN, 'DELETE')).status).toBe(204);
    for (const key of KEYS) await server.expectAbsent('uploads', key);
  });

  it.each([
    ['slashes as they are', '/uploads/a/b/c', 'a/b/c'],
    ['escaped slashes', '/uploads/a%2Fb%2fc', 'a/b/c'],
    ['a plus that is one', '/uploads/a+b', 'a+b'],
    ['dots that stay', '/uploads/a/../b', 'a/../b'],
    ['slashes that stay', '/uploads//a//', '/a//'],
    ['characters that need no escape', "/uploads/a$b!*'(),;:@=", "a$b!*'(),;:@="],
    ['an escape of an escape', '/uploads/%2541', '%41'],
  ])('%s', async (_name, path, key) => {
    await put(key, key);
    expect((await sendS3(server.url, { path, headers: AS_ADMIN })).text).toBe(key);
    const removed = await sendS3(server.url, { method: 'DELETE', path, headers: AS_ADMIN });
    expect(removed.status).toBe(204);
    await server.expectAbsent('uploads', key);
  });

  it.each(['/uploads/%', '/uploads/%zz', '/uploads/%ff', '/%ff/k'])(
    '%s is no URI',
    async (path) => {
      const answer = await sendS3(server.url, { path, headers: AS_ADMIN });
      expectS3Error(answer, 400, 'InvalidURI', { Message: "Couldn't parse the specified URI." });
    },
  );

  it.each(['/uploads/%00', `/uploads/${'k'.repeat(2_000)}`])(
    'no object has the key of %s',
    async (path) => {
      const answer = await sendS3(server.url, { path, headers: AS_ADMIN });
      expect([400, 404]).toContain(answer.status);
      expectS3Error(answer, answer.status, answer.xml['Code'] ?? '');
      const removed = await sendS3(server.url, { method: 'DELETE', path, headers: AS_ADMIN });
      expect([204, 400]).toContain(removed.status);
    },
  );

  it('files of the server are no objects', async () => {
    for (const path of [
      '/uploads/../../etc/passwd',
      '/uploads/..%2f..%2fmaster.key',
      '/../data/k',
    ]) {
      const answer = await sendS3(server.url, { path, headers: AS_ADMIN });
      expect(answer.status).toBe(404);
    }
  });
});

describe('headers that were stored', () => {
  it.each(['attachment; filename="ü.png"', 'attachment; filename="😀.png"', 'ÿ'])(
    'come back in UTF-8: %s',
    async (value) => {
      for (const size of [0, 1, 100_000]) {
        await put('named', 'x'.repeat(size), {
          'Content-Disposition': value,
          'Cache-Control': value,
        });
        const { headers } = await get('named', AS_ADMIN);
        for (const name of ['content-disposition', 'cache-control']) {
          const bytes = Buffer.from(headers.get(name) ?? '', 'latin1');
          expect([name, size, bytes.toString()]).toEqual([name, size, value]);
        }
      }
    },
  );

  it('cannot make headers of their own', async () => {
    // Their low bytes are CR and LF.
    const value = 'a\u010d\u010aX-Injected: yes\u010d\u010a\u010d\u010a<script>';
    await put('split', 'x', {
      acl: 'public-read',
      'Content-Disposition': value,
      'Cache-Control': value,
    });
    const query = new URLSearchParams({ 'response-content-disposition': value });
    const signed = presignV4({
      pair: ADMIN_KEY,
      path: `/uploads/small?${`${query}`.replaceAll('+', '%20')}`,
      host: server.host,
    });
    for (const path of ['/uploads/split', signed]) {
      const raw = await openRaw(server.url);
      raw.send(`GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`);
      const answer = await raw.closed;
      raw.destroy();
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).not.toMatch(/\r\nX-Injected/i);
      expect(answer.split('\r\n\r\n')).toHaveLength(2);
    }
  });

  it('metadata of any UTF-8 comes back as S3 has it', async () => {
    await put('meta', 'x', {
      'x-amz-meta-a': 'ü😀',
      'x-amz-meta-b': 'mostly ASCII ü',
      'x-amz-meta-c': ' a\r\nb',
    });
    const { headers } = await get('meta', AS_ADMIN);
    expect(headers.get('x-amz-meta-a')).toBe(
      `=?UTF-8?B?${Buffer.from('ü😀').toString('base64')}?=`,
    );
    expect(headers.get('x-amz-meta-b')).toBe('=?UTF-8?Q?mostly_ASCII_=C3=BC?=');
    expect(headers.get('x-amz-meta-c')).toMatch(/^=\?UTF-8\?[QB]\?[!-~]+\?=$/);
  });

  it('cannot be replaced by strangers', async () => {
    const path = '/uploads/small?response-content-type=text/html';
    expectS3Error(await sendS3(server.url, { path }), 400, 'InvalidRequest');
    const signed = presignV4({
      pair: ADMIN_KEY,
      path: '/uploads/small?response-content-type=text%2Fhtml',
      host: server.host,
    });
    const answer = await sendS3(server.url, { path: signed });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('preflights', () => {
  it.each(['/', '/uploads', '/uploads/small', '/nowhere/x'])('are answered on %s', async (path) => {
    const answer = await sendS3(server.url, {
      method: 'OPTIONS',
      path,
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, x-amz-date',
      },
    });
    if (path === '/') {
      // Forms are posted there; what GET says of the server is JSON.
      expect(answer.status).toBeLessThan(400);
    } else expect([200, 204]).toContain(answer.status);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    expect(answer.headers.get('access-control-allow-headers')).toBe('content-type, x-amz-date');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});
