import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChecksum } from '../../server/s3/checksum.ts';
import { checksumAlgorithms } from '../../server/s3/expected-checksums.ts';
import { encodeChunks } from '../s3/aws-chunked-bodies.ts';
import { example } from '../s3/aws-examples.ts';
import { runs } from '../support/long-runs.ts';
import { sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, md5Hex, pathOf, type S3Server, startS3Server } from '../support/s3-server.ts';
import { headersV4 } from '../support/sign-request.ts';

/** Whatever the bytes, their key and the way in which they come: they are read back as they were sent. */

const NOW = Date.parse('2013-05-24T00:00:00Z');
const BUCKET = 'payloads';
const KEYS = 'keys';

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server(
    { ACCESS_KEY_ID: example.accessKeyId, SECRET_ACCESS_KEY: example.secretAccessKey },
    { now: () => NOW },
  );
  await server.makeBucket(BUCKET);
  await server.makeBucket(KEYS);
});

afterAll(() => server.stop());

const KINDS = [
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'UNSIGNED-PAYLOAD',
  'hash',
] as const;

/** Small, or around the size above which bytes get a file; what looks like a chunk's own lines, too. */
const contents = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  fc
    .array(fc.constantFrom('\r', '\n', '\r\n', '0\r\n\r\n', '5;chunk-signature=', 'a'))
    .map((text) => Buffer.from(text.join(''))),
  fc
    .tuple(
      fc.constantFrom(8_192, 65_535, 65_536, 65_537, 100_000),
      fc.integer({ min: 1, max: 255 }),
    )
    .map(([size, byte]) => Buffer.alloc(size, Buffer.from([byte, 0, 10]))),
);

/** The ends of pieces, as parts of a thousand. */
const splits = fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 6 });

function split(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...at.map((part) => Math.floor((bytes.length * part) / 1_000)), bytes.length];
  ends.sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const payloads = fc.record({
  kind: fc.constantFrom(...KINDS),
  algorithm: fc.constantFrom(...checksumAlgorithms),
  bytes: contents,
  chunks: splits,
  /** How it is written to the socket; undefined for once, with its length. */
  pieces: fc.option(splits, { nil: undefined }),
});

it('any bytes, in any payload and any pieces', async () => {
  await fc.assert(
    fc.asyncProperty(payloads, async ({ kind, algorithm, bytes, chunks, pieces }) => {
      const path = `/${BUCKET}/payload`;
      const checksum = createChecksum(algorithm);
      checksum.update(bytes);
      const value = checksum.digest();
      const header = `x-amz-checksum-${algorithm}`;
      const isStream = kind.startsWith('STREAMING');
      const inTrailer = kind.endsWith('TRAILER');
      const headers = headersV4({
        ...{ pair: example, method: 'PUT', path, host: server.host, time: NOW },
        payloadHash: kind === 'hash' ? createHash('sha256').update(bytes).digest('hex') : kind,
        headers: {
          ...(inTrailer ? { 'x-amz-trailer': header } : { [header]: value }),
          ...(isStream ? { 'x-amz-decoded-content-length': String(bytes.length) } : {}),
        },
      });
      const seed = /Signature=(\w+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '';
      const body = isStream
        ? encodeChunks(split(bytes, chunks), {
            ...(kind === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' ? {} : { seed }),
            trailer: inTrailer ? [[header, value]] : [],
          })
        : bytes;
      const sent = pieces ? split(body, pieces).filter(({ length }) => length > 0) : body;
      const answer = await sendS3(server.url, { method: 'PUT', path, headers, body: sent });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.headers.get('etag')).toBe(`"${md5Hex(bytes)}"`);
      expect(answer.headers.get(header)).toBe(value);
      const found = await server.read(BUCKET, 'payload');
      expect(found.bytes.equals(bytes)).toBe(true);
    }),
    { numRuns: runs(25, 1_500) },
  );
});

const objectKeys = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('/', '.', '%', '+', ' ', '?', '&'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 40,
  })
  .filter((key) => !key.includes('\0') && key.isWellFormed() && Buffer.byteLength(key) <= 1_000);

const remove = (path: string) => sendS3(server.url, { method: 'DELETE', path, headers: AS_ADMIN });

it('any key, copied and deleted as what it is', async () => {
  await fc.assert(
    fc.asyncProperty(objectKeys, objectKeys, async (key, other) => {
      const path = pathOf(KEYS, key);
      const put = await sendS3(server.url, { method: 'PUT', path, headers: AS_ADMIN, body: key });
      expect(put.status, put.text).toBe(200);
      const copied = await sendS3(server.url, {
        method: 'PUT',
        path: pathOf(KEYS, `copy ${other}`),
        headers: { ...AS_ADMIN, 'x-amz-copy-source': path },
      });
      expect(copied.status, copied.text).toBe(200);
      expect((await server.read(KEYS, `copy ${other}`)).text).toBe(key);
      expect((await remove(path)).status).toBe(204);
      await server.expectAbsent(KEYS, key);
      expect((await remove(pathOf(KEYS, `copy ${other}`))).status).toBe(204);
      await server.expectEmptyBucket(KEYS);
    }),
    { numRuns: runs(10, 300) },
  );
});
