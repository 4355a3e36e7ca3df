import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRaw, type RawConnection } from '../support/raw-http.ts';
import { expectS3Error, readMembers, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { headersV2, headersV4 } from '../support/sign-request.ts';

/** How the bytes of a PUT may come, how many, and what is left of those that do not. */

const MAX = 200_000;
const BUCKET = 'bodies';
const PATH = `/${BUCKET}/k`;
const SMALL = Buffer.from('a few bytes');
/** More than lies beside an index entry. */
const LARGE = randomBytes(150_000);
const TOO_LARGE = 'Your proposed upload exceeds the maximum allowed size';

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({ MAX_UPLOAD_BYTES: String(MAX) });
  await server.makeBucket(BUCKET);
});

afterEach(async () => {
  await server.admin('DELETE', PATH);
  await expect.poll(() => server.blobs()).toEqual([]);
});

afterAll(() => server.stop());

function put(
  body: Buffer | readonly Buffer[],
  headers: Readonly<Record<string, string>> = AS_ADMIN,
) {
  return sendS3(server.url, { method: 'PUT', path: PATH, headers, body });
}

function signed(payloadHash: string, headers: Readonly<Record<string, string>> = {}) {
  const request = { pair: ADMIN_KEY, method: 'PUT', path: PATH, host: server.host };
  return headersV4({ ...request, payloadHash, headers });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function expectStored(answer: S3Answer, bytes: Buffer): Promise<void> {
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('etag')).toBe(`"${md5Hex(bytes)}"`);
  expect((await server.read(BUCKET, 'k')).bytes.equals(bytes)).toBe(true);
}

async function expectNothing(): Promise<void> {
  await server.expectAbsent(BUCKET, 'k');
  await expect.poll(() => server.blobs()).toEqual([]);
}

/** A head by hand, with the admin's Basic credentials. */
function head(...lines: string[]): string {
  return [
    `PUT ${PATH} HTTP/1.1`,
    `Host: ${server.host}`,
    `Authorization: ${AS_ADMIN.authorization}`,
    ...lines,
    '\r\n',
  ].join('\r\n');
}

async function withRaw<T>(work: (connection: RawConnection) => Promise<T>): Promise<T> {
  const connection = await openRaw(server.url);
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

describe('x-amz-content-sha256', () => {
  it.each([
    ['small', SMALL],
    ['large', LARGE],
    ['empty', Buffer.alloc(0)],
  ])('is what the body hashes to: %s', async (_name, body) => {
    await expectStored(await put(body, signed(sha256(body))), body);
    const other = sha256(Buffer.from('other bytes'));
    for (const headers of [signed(other), { ...AS_ADMIN, 'x-amz-content-sha256': other }]) {
      await server.admin('DELETE', PATH);
      expectS3Error(await put(body, headers), 400, 'XAmzContentSHA256Mismatch', {
        ClientComputedContentSHA256: other,
        S3ComputedContentSHA256: sha256(body),
      });
      await expectNothing();
    }
  });

  it('may be unsigned, and then says nothing', async () => {
    for (const body of [SMALL, LARGE]) {
      await expectStored(await put(body, signed('UNSIGNED-PAYLOAD')), body);
    }
  });

  it.each(['', 'UNSIGNED', 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD', 'abc'])(
    'is not %j',
    async (hash) => {
      const answer = await put(SMALL, signed(hash));
      expect(answer.status).toBe(400);
      expectS3Error(answer, 400, answer.xml['Code'] ?? '');
      await expectNothing();
    },
  );

  it('is verified together with the checksums of the head', async () => {
    const md5 = createHash('md5').update(SMALL).digest('base64');
    const right = signed(sha256(SMALL), { 'content-md5': md5 });
    await expectStored(await put(SMALL, right), SMALL);
    await server.admin('DELETE', PATH);
    expectS3Error(
      await put(LARGE, signed(sha256(LARGE), { 'content-md5': md5 })),
      400,
      'BadDigest',
    );
    await expectNothing();
  });
});

describe('the length', () => {
  it('has to be said', async () => {
    const answer = await withRaw((connection) => {
      connection.send(head());
      return connection.answer();
    });
    expect(answer.status).toBe(411);
    expect(readMembers(answer.text)).toMatchObject({
      Code: 'MissingContentLength',
      Message: 'You must provide the Content-Length HTTP header.',
    });
    await expectNothing();
  });

  it('may be 0', async () => {
    await expectStored(await put(Buffer.alloc(0)), Buffer.alloc(0));
  });

  it('may be left to chunks', async () => {
    for (const bytes of [SMALL, LARGE]) {
      const pieces = [bytes.subarray(0, 5), bytes.subarray(5)];
      await expectStored(await put(pieces), bytes);
      const v2 = headersV2({ pair: ADMIN_KEY, method: 'PUT', path: PATH, host: server.host });
      await expectStored(await put(pieces, v2), bytes);
      await expectStored(await put(pieces, signed('UNSIGNED-PAYLOAD')), bytes);
      await expectStored(await put(pieces, signed(sha256(bytes))), bytes);
    }
  });

  it('is not known of a coding that is not undone', async () => {
    for (const coding of ['gzip, chunked', 'deflate, chunked', 'x, chunked']) {
      const answer = await withRaw((connection) => {
        connection.send(head(`Transfer-Encoding: ${coding}`));
        connection.send('3\r\nabc\r\n0\r\n\r\n');
        return connection.answer();
      });
      expect([answer.status, readMembers(answer.text)]).toMatchObject([
        501,
        { Code: 'NotImplemented', Header: 'Transfer-Encoding' },
      ]);
    }
    await expectNothing();
  });

  it('is that of the largest upload at most', async () => {
    const most = randomBytes(MAX);
    await expectStored(await put(most), most);
    await expectStored(await put([most.subarray(0, 1_000), most.subarray(1_000)]), most);
    await server.admin('DELETE', PATH);
    const more = Buffer.concat([most, Buffer.from('x')]);
    expectS3Error(await put(more), 400, 'EntityTooLarge', {
      Message: TOO_LARGE,
      ProposedSize: String(MAX + 1),
      MaxSizeAllowed: String(MAX),
    });
    const chunked = await put([more.subarray(0, 70_000), more.subarray(70_000)]);
    expectS3Error(chunked, 400, 'EntityTooLarge', { MaxSizeAllowed: String(MAX) });
    const streamed = signed('STREAMING-UNSIGNED-PAYLOAD-TRAILER', {
      'x-amz-decoded-content-length': String(MAX + 1),
    });
    expectS3Error(await put(SMALL, streamed), 400, 'EntityTooLarge');
    await expectNothing();
  });

  it('bounds chunks that never end', async () => {
    const answer = await withRaw((connection) => {
      connection.send(head('Transfer-Encoding: chunked'));
      const chunk = Buffer.concat([
        Buffer.from('ea60\r\n'),
        Buffer.alloc(60_000),
        Buffer.from('\r\n'),
      ]);
      for (let sent = 0; sent <= MAX; sent += 60_000) connection.send(chunk);
      return connection.answer();
    });
    expect(answer.status).toBe(400);
    expect(readMembers(answer.text)).toMatchObject({ Code: 'EntityTooLarge' });
    await expectNothing();
  });

  it('leaves the connection to the next request when it is refused', async () => {
    await withRaw(async (connection) => {
      connection.send(head(`Content-Length: ${MAX + 1}`));
      connection.send(Buffer.alloc(MAX + 1));
      expect((await connection.answer()).status).toBe(400);
      connection.send(head(`Content-Length: ${SMALL.length}`));
      connection.send(SMALL);
      expect((await connection.answer()).status).toBe(200);
    });
    expect((await server.read(BUCKET, 'k')).bytes.equals(SMALL)).toBe(true);
  });
});

describe('Expect: 100-continue', () => {
  const expectation = ['Expect: 100-continue', `Content-Length: ${SMALL.length}`];

  it('is told to go on, once the head is right', async () => {
    await withRaw(async (connection) => {
      connection.send(head(...expectation));
      expect((await connection.answer()).status).toBe(100);
      connection.send(SMALL);
      const answer = await connection.answer();
      expect(answer.status, answer.text).toBe(200);
    });
    expect((await server.read(BUCKET, 'k')).bytes.equals(SMALL)).toBe(true);
  });

  it.each([
    ['too large', 400, 'EntityTooLarge', ['Expect: 100-continue', `Content-Length: ${MAX + 1}`]],
    ['an unknown ACL', 400, 'InvalidArgument', [...expectation, 'x-amz-acl: everybody']],
    ['a broken MD5', 400, 'InvalidDigest', [...expectation, 'Content-MD5: x']],
    ['a broken checksum', 400, 'InvalidRequest', [...expectation, 'x-amz-checksum-crc32: x']],
    [
      'too much metadata',
      400,
      'MetadataTooLarge',
      [...expectation, `x-amz-meta-a: ${'m'.repeat(2_100)}`],
    ],
    ['what is not implemented', 501, 'NotImplemented', [...expectation, 'x-amz-grant-read: id=x']],
    ['another owner', 403, 'AccessDenied', [...expectation, 'x-amz-expected-bucket-owner: 1']],
    ['no length', 411, 'MissingContentLength', ['Expect: 100-continue']],
  ])('is not for %s', async (_name, status, code, lines) => {
    const answer = await withRaw((connection) => {
      connection.send(head(...lines));
      return connection.answer();
    });
    expect(answer.status).toBe(status);
    expect(readMembers(answer.text)).toMatchObject({ Code: code });
    await expectNothing();
  });

  it('is not for who may not write, or forged a signature', async () => {
    const { host: _host, ...forged } = signed(sha256(Buffer.from('other bytes')), {
      'content-md5': createHash('md5').update(SMALL).digest('base64'),
    });
    const headers = { ...forged, 'content-md5': createHash('md5').digest('base64') };
    const signature = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    for (const [lines, code] of [
      [[], 'AccessDenied'],
      [signature, 'SignatureDoesNotMatch'],
    ] as const) {
      const start = [`PUT ${PATH} HTTP/1.1`, `Host: ${server.host}`];
      const answer = await withRaw((connection) => {
        connection.send([...start, ...lines, ...expectation, '\r\n'].join('\r\n'));
        return connection.answer();
      });
      expect(answer.status).toBe(403);
      expect(readMembers(answer.text)).toMatchObject({ Code: code });
    }
    await expectNothing();
  });
});

describe('a body that breaks off', () => {
  it.each([
    ['with a length', [`Content-Length: ${LARGE.length}`], ''],
    ['in chunks', ['Transfer-Encoding: chunked'], '20000\r\n'],
  ])('leaves nothing: %s', async (_name, lines, begin) => {
    for (const end of ['destroy', 'end'] as const) {
      await withRaw(async (connection) => {
        connection.send(head(...lines));
        connection.send(begin);
        connection.send(LARGE.subarray(0, 100_000));
        // It is being written.
        await expect.poll(() => server.blobs()).toHaveLength(1);
        connection[end]();
        if (end === 'end') await connection.closed;
        await expectNothing();
      });
    }
  });

  it('leaves what was there before', async () => {
    await put(SMALL);
    await withRaw(async (connection) => {
      connection.send(head(`Content-Length: ${LARGE.length}`));
      connection.send(LARGE.subarray(0, 100_000));
      await expect.poll(() => server.blobs()).toHaveLength(1);
      connection.destroy();
    });
    await expect.poll(() => server.blobs()).toEqual([]);
    expect((await server.read(BUCKET, 'k')).bytes.equals(SMALL)).toBe(true);
  });

  it('is no failure of the server', () => {
    expect(server.log()).not.toMatch(/"level":(50|60)/);
  });
});

it('HTTP/1.0 puts as well', async () => {
  await withRaw(async (connection) => {
    const lines = head(`Content-Length: ${SMALL.length}`).replace('HTTP/1.1', 'HTTP/1.0');
    connection.send(lines);
    connection.send(SMALL);
    expect(await connection.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
  expect((await server.read(BUCKET, 'k')).bytes.equals(SMALL)).toBe(true);
});
