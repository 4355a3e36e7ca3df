import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { expectS3Error, readMembers, sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  FORM_TYPE,
  formBody,
  md5Hex,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { signForm } from '../support/sign-form.ts';

/** How large a file may be, and how its bytes may come. */

let server: S3Server;
const MAX = 1_000_000;
const TOO_LARGE = 'Your proposed upload exceeds the maximum allowed size';
const TOO_SMALL = 'Your proposed upload is smaller than the minimum allowed size';

beforeAll(async () => {
  server = await startS3Server({ MAX_UPLOAD_BYTES: String(MAX) });
  await server.makeBucket('sized');
});

afterAll(() => server.stop());

function upload(size: number, ...more: unknown[]) {
  return server.uploadSigned(
    { bucket: 'sized', fields: { key: 'k' }, more },
    { path: '/sized', file: Buffer.alloc(size, 'x') },
  );
}

async function expectNothing(): Promise<void> {
  await expect.poll(() => server.blobs()).toEqual([]);
  await server.expectEmptyBucket('sized');
}

describe('content-length-range', () => {
  it.each([
    [10, 10, 20],
    [20, 10, 20],
    [454, 454, 454],
    [0, 0, 0],
    [0, 0, 10],
    [100_000, 100_000, 100_000],
    [10, '10', '20'],
    [10, 0, 1e21],
  ])('%i bytes are in %s to %s', async (size, min, max) => {
    const answer = await upload(size, ['content-length-range', min, max]);
    if (max === 1e21) expect(answer.status).toBeLessThan(500);
    else expect(answer.status, answer.text).toBe(204);
    await server.admin('DELETE', '/sized/k');
  });

  it.each([
    [21, 10, 20],
    [1, 0, 0],
    [65_537, 0, 65_536],
    [455, 454, 454],
    [11, '0', '10'],
  ])('%i bytes are more than %s to %s', async (size, min, max) => {
    const answer = await upload(size, ['content-length-range', min, max]);
    expectS3Error(answer, 400, 'EntityTooLarge', {
      Message: TOO_LARGE,
      ProposedSize: String(size),
      MaxSizeAllowed: String(max),
    });
    await expectNothing();
  });

  it.each([
    [9, 10, 20],
    [0, 1, 20],
    [99_999, 100_000, 200_000],
    [453, 454, 454],
  ])('%i bytes are less than %s to %s', async (size, min, max) => {
    const answer = await upload(size, ['content-length-range', min, max]);
    expectS3Error(answer, 400, 'EntityTooSmall', {
      Message: TOO_SMALL,
      ProposedSize: String(size),
      MinSizeAllowed: String(min),
    });
    await expectNothing();
  });

  it('all of several hold', async () => {
    const ranges = [
      ['content-length-range', 0, 30],
      ['Content-Length-Range', 10, 40],
    ];
    expect((await upload(20, ...ranges)).status).toBe(204);
    await server.admin('DELETE', '/sized/k');
    expectS3Error(await upload(5, ...ranges), 400, 'EntityTooSmall');
    expectS3Error(await upload(35, ...ranges), 400, 'EntityTooLarge', { MaxSizeAllowed: '30' });
    await expectNothing();
  });

  it('a range that holds nothing holds nothing', async () => {
    const answer = await upload(15, ['content-length-range', 20, 10]);
    expect([400, 403]).toContain(answer.status);
    await expectNothing();
  });
});

describe('MAX_UPLOAD_BYTES', () => {
  it('is the largest object', async () => {
    expect((await upload(MAX)).status).toBe(204);
    await server.admin('DELETE', '/sized/k');
  });

  it('is not passed, whatever the policy says', async () => {
    for (const more of [[], [['content-length-range', 0, 2 * MAX]]]) {
      const answer = await upload(MAX + 1, ...more);
      expectS3Error(answer, 400, 'EntityTooLarge', {
        Message: TOO_LARGE,
        ProposedSize: String(MAX + 1),
        MaxSizeAllowed: String(MAX),
      });
    }
    await expectNothing();
  });

  it('is enforced on chunks that announce no length', async () => {
    const body = formBody(
      signForm({ pair: ADMIN_KEY, bucket: 'sized', fields: { key: 'k' } }),
      Buffer.alloc(MAX + 10, 'x'),
    );
    const answer = await sendS3(server.url, {
      method: 'POST',
      path: '/sized',
      headers: { 'content-type': FORM_TYPE },
      body: [body.subarray(0, 1_000), body.subarray(1_000)],
    });
    expectS3Error(answer, 400, 'EntityTooLarge', { MaxSizeAllowed: String(MAX) });
    await expectNothing();
  });

  it('of a Content-Length far beyond, nothing is read', async () => {
    const raw = await openRaw(server.url);
    raw.send(
      `POST /sized HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n`,
    );
    const answer = await raw.answer();
    raw.destroy();
    expect(answer.status).toBe(400);
    expect(readMembers(answer.text)).toMatchObject({
      Code: 'EntityTooLarge',
      MaxSizeAllowed: String(MAX),
    });
  });
});

describe('bytes as they arrive', () => {
  function head(length: string, version = '1.1', extra = ''): string {
    return `POST /sized HTTP/${version}\r\nHost: ${server.host}\r\nContent-Type: ${FORM_TYPE}\r\n${length}\r\n${extra}\r\n`;
  }

  function signed(size: number, ...more: unknown[]): Buffer {
    const pairs = signForm({ pair: ADMIN_KEY, bucket: 'sized', fields: { key: 'k' }, more });
    return formBody(pairs, Buffer.alloc(size, 'x'));
  }

  it('are cut off the moment that they pass the maximum', async () => {
    const body = signed(500_000, ['content-length-range', 0, 100]);
    const raw = await openRaw(server.url);
    raw.send(head(`Content-Length: ${body.length}`));
    raw.send(body.subarray(0, 2_500));
    // The rest is never sent.
    const answer = await raw.answer();
    raw.destroy();
    expect(answer.status).toBe(400);
    expect(readMembers(answer.text)).toMatchObject({
      Code: 'EntityTooLarge',
      MaxSizeAllowed: '100',
    });
    await expectNothing();
  });

  it('are refused by their policy before the file is sent', async () => {
    const body = signed(500_000, { acl: 'private' });
    const raw = await openRaw(server.url);
    raw.send(head(`Content-Length: ${body.length}`));
    raw.send(body.subarray(0, 2_500));
    expect(readMembers((await raw.answer()).text)).toMatchObject({ Code: 'AccessDenied' });
    raw.destroy();
    await expectNothing();
  });

  it.each([
    ['byte by byte', 3_000, 1],
    ['in chunks of seven', 3_000, 7],
    ['in chunks around the inline limit', 200_000, 65_536],
  ])('may come chunked, %s', async (_name, size, step) => {
    const body = signed(size, ['content-length-range', size, size]);
    const pieces: Buffer[] = [];
    for (let at = 0; at < body.length; at += step) pieces.push(body.subarray(at, at + step));
    const answer = await sendS3(server.url, {
      method: 'POST',
      path: '/sized',
      headers: { 'content-type': FORM_TYPE, 'transfer-encoding': 'chunked' },
      body: pieces,
    });
    expect(answer.status, answer.text).toBe(204);
    expect(answer.headers.get('etag')).toBe(`"${md5Hex(Buffer.alloc(size, 'x'))}"`);
    await server.admin('DELETE', '/sized/k');
  });

  it('are asked for with Expect: 100-continue', async () => {
    const body = signed(100);
    const raw = await openRaw(server.url);
    raw.send(head(`Content-Length: ${body.length}`, '1.1', 'Expect: 100-continue\r\n'));
    expect((await raw.answer()).status).toBe(100);
    raw.send(body);
    expect((await raw.answer()).status).toBe(204);
    raw.destroy();
    await server.admin('DELETE', '/sized/k');
  });

  it('are not asked for where the headers tell that they are no form', async () => {
    const raw = await openRaw(server.url);
    raw.send(
      `POST /sized HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect((await raw.answer()).status).toBe(412);
    raw.destroy();
  });

  it.each([
    ['with a Host', true],
    ['without one', false],
  ])('may come over HTTP/1.0, %s', async (_name, hasHost) => {
    const body = signed(70_000);
    const raw = await openRaw(server.url);
    const start = head(`Content-Length: ${body.length}`, '1.0');
    raw.send(hasHost ? start : start.replace(/Host: .*\r\n/, ''));
    raw.send(body);
    expect((await raw.answer()).status).toBe(204);
    raw.destroy();
    expect((await server.read('sized', 'k')).bytes.length).toBe(70_000);
    await server.admin('DELETE', '/sized/k');
  });

  it('many requests of one connection do not mix, refused ones among them', async () => {
    const raw = await openRaw(server.url);
    const fine = signed(100);
    const refused = signed(70_000, ['content-length-range', 0, 10]);
    for (const [body, status] of [
      [refused, 400],
      [fine, 204],
      [refused, 400],
      [fine, 204],
    ] as const) {
      raw.send(head(`Content-Length: ${body.length}`));
      raw.send(body);
      expect((await raw.answer()).status).toBe(status);
    }
    raw.destroy();
    await server.admin('DELETE', '/sized/k');
  });

  it.each([10, 70_000, 400_000])(
    'that break off after %i leave nothing, nor change what was there',
    async (sent) => {
      expect((await upload(5)).status).toBe(204);
      const body = signed(500_000);
      const raw = await openRaw(server.url);
      raw.send(head(`Content-Length: ${body.length}`));
      raw.send(body.subarray(0, sent));
      if (sent > 100_000) await expect.poll(() => server.blobs(), { interval: 5 }).toHaveLength(1);
      raw.end();
      await raw.closed;
      await expect.poll(() => server.blobs(), { interval: 5 }).toEqual([]);
      expect((await server.read('sized', 'k')).bytes.length).toBe(5);
      await server.admin('DELETE', '/sized/k');
      await expectNothing();
    },
  );

  it('that break off with a reset leave nothing', async () => {
    const body = signed(500_000);
    const raw = await openRaw(server.url);
    raw.send(head('Transfer-Encoding: chunked'));
    raw.send(`61a80\r\n`);
    raw.send(body.subarray(0, 400_000));
    await expect.poll(() => server.blobs(), { interval: 5 }).toHaveLength(1);
    raw.destroy();
    await expect.poll(() => server.blobs(), { interval: 5 }).toEqual([]);
    await expectNothing();
  });

  it('are not stored for a user, or a key, that was deleted while they came', async () => {
    for (const what of ['user', 'key']) {
      const pair = await server.makeMember('hasty', [{ prefix: 'sized/', access: 'write' }]);
      const pairs = signForm({ pair, bucket: 'sized', fields: { key: 'k' } });
      const body = formBody(pairs, Buffer.alloc(500_000, 'x'));
      const raw = await openRaw(server.url);
      raw.send(head(`Content-Length: ${body.length}`));
      raw.send(body.subarray(0, 400_000));
      await expect.poll(() => server.blobs(), { interval: 5 }).toHaveLength(1);
      const path = what === 'user' ? '/api/users/hasty' : `/api/access-keys/${pair.accessKeyId}`;
      expect((await server.admin('DELETE', path)).status).toBe(204);
      raw.send(body.subarray(400_000));
      expect((await raw.answer()).status).toBe(403);
      raw.destroy();
      await expectNothing();
    }
  });

  it('are not stored in a bucket that was removed, or closed, while they came', async () => {
    for (const what of ['removed', 'closed']) {
      await server.makeBucket('open', 'public-read-write');
      const body = formBody([['key', 'k']], Buffer.alloc(500_000, 'x'));
      const raw = await openRaw(server.url);
      raw.send(head(`Content-Length: ${body.length}`).replace('/sized', '/open'));
      raw.send(body.subarray(0, 400_000));
      await expect.poll(() => server.blobs(), { interval: 5 }).toHaveLength(1);
      if (what === 'closed') await server.makeBucket('open', 'private');
      else expect((await server.admin('DELETE', '/api/buckets/open')).status).toBe(204);
      raw.send(body.subarray(400_000));
      expect((await raw.answer()).status).toBe(what === 'closed' ? 403 : 404);
      raw.destroy();
      await expect.poll(() => server.blobs(), { interval: 5 }).toEqual([]);
      await server.makeBucket('open');
      await server.expectEmptyBucket('open');
    }
  });
});
