import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsBody, awsExample, awsTrailerExample, encodeChunks } from '../s3/aws-chunked-bodies.ts';
import { example } from '../s3/aws-examples.ts';
import { runs } from '../support/long-runs.ts';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { headersV4 } from '../support/sign-request.ts';

/** PutObject whose body is signed in chunks, on the day of AWS's own examples and with their key. */

const NOW = Date.parse('2013-05-24T00:00:00Z');
const pair = { accessKeyId: example.accessKeyId, secretAccessKey: example.secretAccessKey };
const BUCKET = 'examplebucket';
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const WITH_TRAILER = `${SIGNED}-TRAILER`;
const UNSIGNED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server(
    { ACCESS_KEY_ID: pair.accessKeyId, SECRET_ACCESS_KEY: pair.secretAccessKey },
    { now: () => NOW },
  );
  await server.makeBucket(BUCKET);
});

afterAll(() => server.stop());

type Headers = Readonly<Record<string, string>>;

interface Sent {
  readonly key?: string;
  readonly chunks: readonly Buffer[];
  readonly kind: string;
  /** The value of the CRC-32 in the trailer; its own unless told. */
  readonly crc?: string;
  readonly trailer?: readonly (readonly [string, string])[];
  /** In the place of what the body's own are, or none. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly change?: (body: Buffer) => Buffer;
}

function crcOf(bytes: Buffer): string {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(bytes));
  return crc.toString('base64');
}

/** Signs the head, and with it each chunk. */
function send({ key = 'k', chunks, kind, change = (body) => body, ...sent }: Sent) {
  const whole = Buffer.concat(chunks);
  const hasTrailer = kind !== SIGNED;
  const wanted: Record<string, string | undefined> = {
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': String(whole.length),
    ...(hasTrailer ? { 'x-amz-trailer': 'x-amz-checksum-crc32' } : {}),
    ...sent.headers,
  };
  const given = Object.entries(wanted).filter((entry): entry is [string, string] => !!entry[1]);
  const path = `/${BUCKET}/${key}`;
  const headers = headersV4({
    ...{ pair, method: 'PUT', path, host: server.host, payloadHash: kind, time: NOW },
    headers: Object.fromEntries(given),
  });
  const seed = /Signature=(\w+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '';
  const trailer =
    sent.trailer ?? (hasTrailer ? [['x-amz-checksum-crc32', sent.crc ?? crcOf(whole)]] : []);
  const body = encodeChunks(chunks, { trailer, ...(kind === UNSIGNED ? {} : { seed }) });
  return sendS3(server.url, { method: 'PUT', path, headers, body: change(body) });
}

function flipped(body: Buffer, at: number): Buffer {
  const changed = Buffer.from(body);
  changed.writeUInt8(body.readUInt8(at) ^ 1, at);
  return changed;
}

async function expectStored(answer: S3Answer, bytes: Buffer, key = 'k'): Promise<void> {
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('etag')).toBe(`"${md5Hex(bytes)}"`);
  const found = await server.read(BUCKET, key);
  expect(found.bytes.equals(bytes)).toBe(true);
  expect(found.headers.get('content-encoding')).toBeNull();
  const path = `/${BUCKET}/${key}`;
  expect((await server.admin('DELETE', path)).status).toBe(204);
}

async function expectNothing(key = 'k'): Promise<void> {
  await server.expectAbsent(BUCKET, key);
  await expect.poll(() => server.blobs()).toEqual([]);
}

const CHUNKS = [Buffer.from('first, '), Buffer.from('second, '), Buffer.from('third')];
const LARGE = [randomBytes(65_536), randomBytes(65_536), randomBytes(1_000)];

describe('AWS’s own examples', () => {
  const path = `/${BUCKET}/chunkObject.txt`;
  const bytes = Buffer.alloc(66_560, 'a');
  const credential = `${example.accessKeyId}/20130524/us-east-1/s3/aws4_request`;
  const common = {
    host: 's3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '66560',
  };

  function authorization(names: string, seed: string): string {
    return `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${seed}`;
  }

  it('of a signed stream', async () => {
    const names =
      'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class';
    const headers = {
      ...common,
      'x-amz-content-sha256': SIGNED,
      authorization: authorization(names, awsExample.seed),
    };
    const body = Buffer.from(`${awsBody(awsExample)}\r\n`);
    // The length is signed.
    expect(body).toHaveLength(66_824);
    const answer = await sendS3(server.url, { method: 'PUT', path, headers, body });
    await expectStored(answer, bytes, 'chunkObject.txt');
  });

  it('of one with a trailer', async () => {
    const names =
      'content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer';
    const { trailer, last, seed } = awsTrailerExample;
    const headers = {
      ...common,
      'x-amz-content-sha256': WITH_TRAILER,
      'x-amz-trailer': 'x-amz-checksum-crc32c',
      authorization: authorization(names, seed),
    };
    const body = `${awsBody(awsTrailerExample)}${trailer}\n\r\nx-amz-trailer-signature:${last}\r\n\r\n`;
    const answer = await sendS3(server.url, { method: 'PUT', path, headers, body });
    expect(answer.headers.get('x-amz-checksum-crc32c')).toBe('sOO8/Q==');
    await expectStored(answer, bytes, 'chunkObject.txt');
  });
});

describe.each([SIGNED, WITH_TRAILER, UNSIGNED])('%s', (kind) => {
  it.each([
    ['small', CHUNKS],
    ['large', LARGE],
    ['empty', []],
  ])('is stored as what was sent: %s', async (_name, chunks) => {
    await expectStored(await send({ chunks, kind }), Buffer.concat(chunks));
  });

  it('is refused with another byte anywhere, and nothing is stored', async () => {
    const step = runs(7, 1);
    let length = step;
    let spaces = 0;
    for (let at = Math.floor(Math.random() * step); at < length; at += step) {
      let was = '';
      const change = (body: Buffer): Buffer => {
        length = body.length;
        was = body.toString('latin1', at, at + 1);
        return flipped(body, at);
      };
      const answer = await send({ chunks: CHUNKS, kind, change });
      if (answer.status === 200) {
        // The end of the trailer's line may be another space: nothing is signed there.
        expect(['\r', '\n'], `byte ${at} of ${length}`).toContain(was);
        spaces += 1;
        await expectStored(answer, Buffer.concat(CHUNKS));
      } else {
        expect([400, 403], `byte ${at}: ${answer.text}`).toContain(answer.status);
        expectS3Error(answer, answer.status, answer.xml['Code'] ?? '');
      }
    }
    expect(spaces).toBeLessThanOrEqual(3);
    await expectNothing();
  });

  it('is refused with another byte late in a large body', async () => {
    const size = Buffer.concat(LARGE).length;
    for (const at of [size - 100, size + 50]) {
      const change = (body: Buffer) => flipped(body, at);
      const answer = await send({ chunks: LARGE, kind, change });
      expect([400, 403], answer.text).toContain(answer.status);
    }
    await expectNothing();
  });

  it('says its length, and has it', async () => {
    const sent = { chunks: CHUNKS, kind };
    const length = Buffer.concat(CHUNKS).length;
    const with_ = (text: string | undefined) =>
      send({ ...sent, headers: { 'x-amz-decoded-content-length': text } });
    expectS3Error(await with_(undefined), 411, 'MissingContentLength');
    expectS3Error(await with_(''), 411, 'MissingContentLength');
    for (const text of ['-1', '1.5', '0x10', 'twenty']) {
      expectS3Error(await with_(text), 400, 'InvalidArgument');
    }
    for (const wrong of [0, length - 1, length + 1]) {
      expectS3Error(await with_(String(wrong)), 400, 'IncompleteBody');
    }
    await expectNothing();
  });

  it('may not end early', async () => {
    for (const left of [5, 30, 100]) {
      const change = (body: Buffer) => body.subarray(0, body.length - left);
      const answer = await send({ chunks: CHUNKS, kind, change });
      expect([400, 403], answer.text).toContain(answer.status);
    }
    const more = (body: Buffer) => Buffer.concat([body, Buffer.from('more')]);
    expect((await send({ chunks: CHUNKS, kind, change: more })).status).toBe(400);
    await expectNothing();
  });
});

describe('a chunk', () => {
  it('cannot be left out, repeated or moved', async () => {
    const even = [Buffer.alloc(10, 'a'), Buffer.alloc(10, 'b')];
    const split = (body: Buffer) => {
      const size = 'a;chunk-signature='.length + 64 + 2 + 10 + 2;
      const cut = (from: number, to?: number) => body.subarray(from, to);
      return [cut(0, size), cut(size, 2 * size), cut(2 * size)] as const;
    };
    for (const change of [
      (body: Buffer) => Buffer.concat([split(body)[1], split(body)[0], split(body)[2]]),
      (body: Buffer) => Buffer.concat([split(body)[0], split(body)[0], split(body)[2]]),
    ]) {
      expectS3Error(
        await send({ chunks: even, kind: SIGNED, change }),
        403,
        'SignatureDoesNotMatch',
      );
    }
    const shorter = {
      ...{ chunks: even, kind: SIGNED, headers: { 'x-amz-decoded-content-length': '10' } },
      change: (body: Buffer) => Buffer.concat([split(body)[0], split(body)[2]]),
    };
    expectS3Error(await send(shorter), 403, 'SignatureDoesNotMatch');
    await expectNothing();
  });

  it('needs a signature where the head says so', async () => {
    const unsign = (body: Buffer) =>
      Buffer.from(body.toString('latin1').replaceAll(/;chunk-signature=\w+/g, ''), 'latin1');
    const answer = await send({ chunks: CHUNKS, kind: SIGNED, change: unsign });
    expectS3Error(answer, 403, 'SignatureDoesNotMatch');
    await expectNothing();
  });
});

describe.each([WITH_TRAILER, UNSIGNED])('the trailer of %s', (kind) => {
  it('has to be the one that was announced', async () => {
    const sent = { chunks: CHUNKS, kind };
    expectS3Error(await send({ ...sent, trailer: [] }), 400, 'MalformedTrailerError');
    const other = [['x-amz-checksum-crc32c', 'AAAAAA==']] as const;
    expectS3Error(await send({ ...sent, trailer: other }), 400, 'MalformedTrailerError');
    const two = [['x-amz-checksum-crc32', crcOf(Buffer.concat(CHUNKS))], ...other] as const;
    expectS3Error(await send({ ...sent, trailer: two }), 400, 'MalformedTrailerError');
    const headers = { 'x-amz-trailer': undefined };
    expectS3Error(await send({ ...sent, headers }), 400, 'MalformedTrailerError');
    const unknown = { 'x-amz-trailer': 'x-amz-meta-a' };
    expectS3Error(await send({ ...sent, headers: unknown }), 400, 'InvalidRequest');
    await expectNothing();
  });

  it('has to be right', async () => {
    for (const chunks of [CHUNKS, LARGE]) {
      expectS3Error(await send({ chunks, kind, crc: 'AAAAAA==' }), 400, 'BadDigest');
    }
    expectS3Error(await send({ chunks: CHUNKS, kind, crc: 'AAAA' }), 400, 'InvalidRequest');
    const headers = { 'x-amz-checksum-sha1': Buffer.alloc(20).toString('base64') };
    expectS3Error(await send({ chunks: CHUNKS, kind, headers }), 400, 'InvalidRequest');
    await expectNothing();
  });

  it('tells the checksum that is kept', async () => {
    const answer = await send({ chunks: CHUNKS, kind });
    const crc = crcOf(Buffer.concat(CHUNKS));
    expect(answer.headers.get('x-amz-checksum-crc32')).toBe(crc);
    expect(answer.headers.get('x-amz-checksum-type')).toBe('FULL_OBJECT');
    await expectStored(answer, Buffer.concat(CHUNKS));
  });
});

describe.each([WITH_TRAILER, UNSIGNED])('beside the trailer of %s', (kind) => {
  const sent = { chunks: CHUNKS, kind };

  it('the MD5 of the head is verified, too', async () => {
    const right = createHash('md5').update(Buffer.concat(CHUNKS)).digest('base64');
    const headers = { 'content-md5': right, 'x-amz-sdk-checksum-algorithm': 'CRC32' };
    await expectStored(await send({ ...sent, headers }), Buffer.concat(CHUNKS));
    const wrong = createHash('md5').digest('base64');
    const answer = await send({ ...sent, headers: { 'content-md5': wrong } });
    expectS3Error(answer, 400, 'BadDigest');
    await expectNothing();
  });

  it('no other algorithm can be named', async () => {
    const headers = { 'x-amz-sdk-checksum-algorithm': 'SHA256' };
    expectS3Error(await send({ ...sent, headers }), 400, 'InvalidRequest');
    await expectNothing();
  });
});

it('an unsigned stream may come with Basic credentials, or from anybody', async () => {
  await server.makeBucket('anybody', 'public-read-write');
  const bytes = Buffer.concat(CHUNKS);
  const stream = {
    'x-amz-content-sha256': UNSIGNED,
    'x-amz-decoded-content-length': String(bytes.length),
    'x-amz-trailer': 'x-amz-checksum-crc32',
    'content-encoding': 'aws-chunked',
  };
  for (const headers of [stream, { ...stream, ...AS_ADMIN }]) {
    for (const crc of [crcOf(bytes), 'AAAAAA==']) {
      const body = encodeChunks(CHUNKS, { trailer: [['x-amz-checksum-crc32', crc]] });
      const answer = await sendS3(server.url, { method: 'PUT', path: '/anybody/k', headers, body });
      if (crc === 'AAAAAA==') expectS3Error(answer, 400, 'BadDigest');
      else expect(answer.status, answer.text).toBe(200);
    }
    expect((await server.read('anybody', 'k')).bytes.equals(bytes)).toBe(true);
    await server.admin('DELETE', '/anybody/k');
  }
});

it('a signed stream needs a signature of version 4', async () => {
  const headers: Headers = {
    'x-amz-content-sha256': SIGNED,
    'x-amz-decoded-content-length': '5',
    'content-encoding': 'aws-chunked',
  };
  await server.makeBucket('open', 'public-read-write');
  const body = encodeChunks([Buffer.from('hello')], {});
  const path = '/open/k';
  const answer = await sendS3(server.url, { method: 'PUT', path, headers, body });
  expectS3Error(answer, 400, 'InvalidRequest');
  await server.expectAbsent('open', 'k');
});
