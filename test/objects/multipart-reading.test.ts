import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runs } from '../support/long-runs.ts';
import { type S3Answer, sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';

/** Readers of one object that is replaced and deleted all the time, in parts and in one piece. */

const ROUNDS = runs(5, 200);
let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

function send(method: string, query = '', body?: Buffer, headers = {}): Promise<S3Answer> {
  return sendS3(server.url, {
    method,
    path: `/uploads/read-and-written${query}`,
    headers: { ...AS_ADMIN, ...headers },
    ...(body ? { body } : {}),
  });
}

async function putInParts(bytes: Buffer): Promise<void> {
  const id = (await send('POST', '?uploads')).xml['UploadId'];
  // The second part goes when the object is made of the first.
  for (const number of [1, 2]) {
    const sent = await send('PUT', `?uploadId=${id}&partNumber=${number}`, bytes);
    expect(sent.status, sent.text).toBe(200);
  }
  const part = `<Part><PartNumber>1</PartNumber><ETag>${md5Hex(bytes)}</ETag></Part>`;
  const xml = `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`;
  const done = await send('POST', `?uploadId=${id}`, Buffer.from(xml));
  expect(done.status, done.text).toBe(200);
}

/** Of these bytes, in one piece or as the only part. */
function etagsOf(bytes: Buffer): string[] {
  const inner = createHash('md5').update(bytes).digest();
  return [`"${inner.toString('hex')}"`, `"${md5Hex(inner)}-1"`];
}

it('get one of its states, whole, or that there is none', async () => {
  let isOver = false;
  const seen = new Set<string>();
  const stop = (): void => {
    isOver = true;
  };
  const write = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await putInParts(Buffer.alloc(70_000 + round, `${round} in parts `));
      await putInParts(Buffer.alloc(7 + round, `${round} small `));
      await send('PUT', '', Buffer.alloc(80_000 + round, `${round} in one piece `));
      if (round % 2) await send('DELETE');
    }
  };
  const read = async (query: string, headers = {}): Promise<void> => {
    while (!isOver) {
      const answer = await send('GET', query, undefined, headers);
      expect([200, 206, 404], answer.text).toContain(answer.status);
      seen.add(`${query} ${answer.status}`);
      if (answer.status === 404) continue;
      expect(answer.headers.get('content-length')).toBe(`${answer.bytes.length}`);
      expect(etagsOf(answer.bytes)).toContain(answer.headers.get('etag'));
    }
  };
  const look = async (): Promise<void> => {
    while (!isOver) {
      const { status } = await send('HEAD', '?partNumber=1');
      expect([206, 404]).toContain(status);
    }
  };
  const readers = [read(''), read('', { range: 'bytes=0-' }), read('?partNumber=1'), look()];
  await Promise.all([write().finally(stop), ...readers]);
  expect(seen.size).toBeGreaterThan(2);
  await send('DELETE');
  await expect.poll(() => server.blobs()).toEqual([]);
});
