import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { ask, done } from './ask.ts';

/** What CompleteMultipartUpload takes for the object that the client meant, and what it does not. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

const PART = 'the only part';
const ETAG = `"${md5Hex(PART)}"`;
const CRC = crcOf(PART);
const SHA = createHash('sha256').update(PART).digest('base64');

function crcOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
}

interface Begun {
  readonly path: string;
  complete(parts: string, headers?: Record<string, string>, body?: string): ReturnType<typeof ask>;
}

/** An upload with its one part. */
async function begin(headers: Record<string, string> = {}): Promise<Begun> {
  const started = await done(server, { method: 'POST', path: '/uploads/whole?uploads', headers });
  const path = `/uploads/whole?uploadId=${started.xml['UploadId']}`;
  await done(server, { method: 'PUT', path: `${path}&partNumber=1`, body: PART });
  return {
    path,
    complete: (parts, more = {}) =>
      ask(server, {
        method: 'POST',
        path,
        headers: more,
        body: `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`,
      }),
  };
}

function part(members = '', number = 1, etag = ETAG): string {
  return `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${members}</Part>`;
}

const COMPOSITE = { 'x-amz-checksum-algorithm': 'SHA256' };
const FULL = { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT' };

describe('the parts that a client lists', () => {
  it.each<[string, string, number, string]>([
    ['no document', '', 400, 'MalformedXML'],
    ['a part without its number', `<Part><ETag>${ETAG}</ETag></Part>`, 400, 'MalformedXML'],
    ['a part without its ETag', '<Part><PartNumber>1</PartNumber></Part>', 400, 'MalformedXML'],
    ['the number 0', part('', 0), 400, 'InvalidArgument'],
    ['a number over 10,000', part('', 10_001), 400, 'InvalidArgument'],
    ['a number that was not sent', part('', 2), 400, 'InvalidPart'],
    ['another ETag', part('', 1, 'ffffffffffffffffffffffffffffffff'), 400, 'InvalidPart'],
    ['one number twice', part() + part(), 400, 'InvalidPartOrder'],
  ])('are refused with S3 code, and the upload stays: %s', async (_name, parts, status, code) => {
    const upload = await begin();
    expectS3Error(await upload.complete(parts), status, code);
    expect((await upload.complete(part())).status).toBe(200);
  });

  it('may name their ETags without quotes', async () => {
    const upload = await begin();
    expect((await upload.complete(part('', 1, md5Hex(PART)))).status).toBe(200);
  });

  it('say the checksums that a composite checksum is made of', async () => {
    const upload = await begin(COMPOSITE);
    expectS3Error(await upload.complete(part()), 400, 'InvalidRequest', {
      Message:
        'The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.',
    });
    const right = part(`<ChecksumSHA256>${SHA}</ChecksumSHA256>`);
    const answer = await upload.complete(right);
    const composite = createHash('sha256').update(Buffer.from(SHA, 'base64')).digest('base64');
    expect(answer.xml, answer.text).toMatchObject({
      ChecksumSHA256: `${composite}-1`,
      ChecksumType: 'COMPOSITE',
    });
  });

  it('need no checksums where that of the full object was asked for', async () => {
    const upload = await begin(FULL);
    const answer = await upload.complete(part());
    expect(answer.xml, answer.text).toMatchObject({
      ChecksumCRC32: CRC,
      ChecksumType: 'FULL_OBJECT',
    });
  });

  it.each([
    ['of another part', `<ChecksumCRC32>${crcOf('other')}</ChecksumCRC32>`, 'InvalidPart'],
    ['that none could be', '<ChecksumCRC32>no-checksum</ChecksumCRC32>', 'InvalidArgument'],
    [
      'two at once',
      `<ChecksumCRC32>${CRC}</ChecksumCRC32><ChecksumSHA256>${SHA}</ChecksumSHA256>`,
      'InvalidArgument',
    ],
  ])('are refused with checksums that they do not have: %s', async (_name, members, code) => {
    const upload = await begin(FULL);
    expectS3Error(await upload.complete(part(members)), 400, code);
    expect((await upload.complete(part())).status).toBe(200);
  });
});

describe('what the headers say of the object', () => {
  it.each<[string, Record<string, string>, string]>([
    ['a checksum of other bytes', { 'x-amz-checksum-crc32': crcOf('other') }, 'BadDigest'],
    ['what is no checksum', { 'x-amz-checksum-crc32': 'none' }, 'InvalidRequest'],
    ['a count that is none', { 'x-amz-checksum-crc32': `${CRC}-smth` }, 'InvalidRequest'],
    [
      'two checksums',
      { 'x-amz-checksum-crc32': CRC, 'x-amz-checksum-sha256': SHA },
      'InvalidRequest',
    ],
    ['another algorithm', { 'x-amz-checksum-sha256': SHA }, 'InvalidRequest'],
    ['another type', { 'x-amz-checksum-type': 'COMPOSITE' }, 'InvalidRequest'],
    ['a size below nothing', { 'x-amz-mp-object-size': '-1' }, 'InvalidRequest'],
    ['another size', { 'x-amz-mp-object-size': '1' }, 'InvalidRequest'],
  ])('is compared with the parts: %s', async (_name, headers, code) => {
    const upload = await begin(FULL);
    expectS3Error(await upload.complete(part(), headers), 400, code);
    const right = {
      'x-amz-checksum-crc32': CRC,
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-mp-object-size': String(PART.length),
    };
    const answer = await upload.complete(part(), right);
    expect(answer.status, answer.text).toBe(200);
  });
});

describe('a part of an object', () => {
  it('comes with its own checksum to who wants to verify it', async () => {
    const upload = await begin(COMPOSITE);
    await upload.complete(part(`<ChecksumSHA256>${SHA}</ChecksumSHA256>`));
    for (const method of ['GET', 'HEAD']) {
      const answer = await done(server, {
        method,
        path: '/uploads/whole?partNumber=1',
        headers: { 'x-amz-checksum-mode': 'ENABLED' },
      });
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-amz-checksum-sha256': SHA,
        'x-amz-mp-parts-count': '1',
      });
      const plain = await done(server, { method, path: '/uploads/whole?partNumber=1' });
      expect(plain.headers.get('x-amz-checksum-sha256')).toBeNull();
    }
  });
});
