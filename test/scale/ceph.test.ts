import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Client } from '../../server/drivers/s3/s3-blob-store.ts';
import { startCeph } from '../support/ceph.ts';
import { isLongRun } from '../support/long-runs.ts';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Backends, startBackends } from './cluster.ts';

/** What two nodes do with a real object store. In long runs alone, since Debian's packages are needed. */

const PAIR = { accessKeyId: 'AKIDADMIN00000000001', secretAccessKey: 'admin-secret-of-two-nodes' };
const LATER_MS = 8 * 86_400_000;

describe.runIf(isLongRun)('nodes with BLOBS on Ceph', () => {
  let backends: Backends;
  let env: Record<string, string>;
  let nodes: [TestServer, TestServer];
  /** One of each node. */
  let clients: [S3Client, S3Client];
  let ceph: S3Client;
  let cephUrl: string;
  /** Of Ceph, with what the nodes keep there. */
  let bucket: string;

  beforeAll(async () => {
    backends = await startBackends({ startObjectStore: startCeph });
    env = {
      ...(await backends.settings()),
      ACCESS_KEY_ID: PAIR.accessKeyId,
      SECRET_ACCESS_KEY: PAIR.secretAccessKey,
    };
    nodes = await Promise.all([startServer({ env }), startServer({ env })]);
    clients = [clientOf(nodes[0]), clientOf(nodes[1])];
    const blobs = new URL(env['BLOBS'] ?? '');
    bucket = blobs.hostname;
    cephUrl = blobs.searchParams.get('endpoint') ?? '';
    ceph = createS3Client({
      bucket,
      endpoint: cephUrl,
      region: 'us-east-1',
      forcePathStyle: true,
    });
  });

  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    for (const client of [ceph, ...(clients ?? [])]) client?.destroy();
    await backends?.stop();
  });

  /** What Ceph keeps for the nodes. */
  async function kept(): Promise<string[]> {
    const { Contents = [] } = await ceph.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key = '' }) => Key);
  }

  it.each([65_537, 5_242_880, 12_345_678])(
    'keep an object of %i bytes there, which any node reads, whole or in part, until it is deleted',
    async (size) => {
      const target = { Bucket: 'uploads', Key: `size-${size}` };
      const Body = randomBytes(size);
      const before = await kept();
      await clients[0].send(new PutObjectCommand({ ...target, Body }));
      expect(await kept()).toHaveLength(before.length + 1);
      expect(sha256(await read(clients[1], target))).toBe(sha256(Body));
      for (const [start, end] of [
        [0, 0],
        [1_000, 65_000],
        [size - 60_000, size - 1],
      ] as const) {
        const part = await read(clients[1], { ...target, Range: `bytes=${start}-${end}` });
        expect(part.equals(Body.subarray(start, end + 1))).toBe(true);
      }
      await clients[1].send(new DeleteObjectCommand(target));
      await expect(read(clients[0], target)).rejects.toThrow('The specified key does not exist');
      await expect.poll(kept).toEqual(before);
    },
  );

  it('answer a reader whole while another node replaces and deletes the object', async () => {
    const target = { Bucket: 'uploads', Key: 'replaced' };
    const old = randomBytes(12_000_000);
    await clients[0].send(new PutObjectCommand({ ...target, Body: old }));
    const { Body } = await clients[1].send(new GetObjectCommand(target));
    await clients[0].send(new PutObjectCommand({ ...target, Body: randomBytes(100_000) }));
    await clients[0].send(new DeleteObjectCommand(target));
    expect(sha256((await Body?.transformToByteArray()) ?? '')).toBe(sha256(old));
  });

  it('put an object together of parts that went to both, and read across their bounds', async () => {
    const target = { Bucket: 'uploads', Key: 'parts' };
    const bodies = [6_000_000, 5_242_880, 70_000].map((size) => randomBytes(size));
    const { UploadId } = await clients[0].send(new CreateMultipartUploadCommand(target));
    const Parts = await Promise.all(
      bodies.map(async (Body, i) => {
        const part = { ...target, UploadId, PartNumber: i + 1, Body };
        const { ETag } = await clients[i % 2 === 0 ? 0 : 1].send(new UploadPartCommand(part));
        return { ETag, PartNumber: i + 1 };
      }),
    );
    const complete = { ...target, UploadId, MultipartUpload: { Parts } };
    await clients[1].send(new CompleteMultipartUploadCommand(complete));
    const whole = Buffer.concat(bodies);
    expect(sha256(await read(clients[0], target))).toBe(sha256(whole));
    const across = await read(clients[1], { ...target, Range: 'bytes=5999000-11243000' });
    expect(across.equals(whole.subarray(5_999_000, 11_243_001))).toBe(true);
  });

  it('sign forms for it with DIRECT_UPLOADS=on, and it holds uploads to them', async () => {
    const node = await startServer({ env: { ...env, DIRECT_UPLOADS: 'on' } });
    const rest = createRest(node.url);
    const upload = async (key: string, file: string): Promise<Response> => {
      const data = { key, maxBytes: 4 };
      const { json } = await rest('POST', '/api/v2/s3/create_signed_url', { data });
      const { url, fields } = (json as { data: { url: string; fields: Record<string, string> } })
        .data;
      expect(new URL(url).host).toBe(new URL(cephUrl).host);
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('file', new Blob([file]), 'file');
      return fetch(url, { method: 'POST', body: form });
    };
    try {
      expect((await upload('direct', 'four')).status).toBe(201);
      expect((await rest('GET', '/uploads/direct')).text).toBe('four');
      const refused = await upload('too-large', 'fives');
      expect([refused.status, await refused.text()]).toEqual([
        400,
        expect.stringContaining('<Code>EntityTooLarge</Code>'),
      ]);
      expect((await rest('GET', '/uploads/too-large')).status).toBe(404);
    } finally {
      await node.stop();
    }
  });

  it('sweep what has been nobody’s for a week, and nothing else', async () => {
    const target = { Bucket: 'uploads', Key: 'kept' };
    const Body = randomBytes(100_000);
    await clients[0].send(new PutObjectCommand({ ...target, Body }));
    const before = await kept();
    // What nodes leave that die before their commit, and within an upload.
    const orphan = { Bucket: bucket, Key: `blobs/${'0a'.repeat(16)}` };
    await ceph.send(new PutObjectCommand({ ...orphan, Body: 'nobody’s' }));
    await ceph.send(
      new CreateMultipartUploadCommand({ Bucket: bucket, Key: `blobs/${'0b'.repeat(16)}` }),
    );
    const unfinished = async (): Promise<number> => {
      const { Uploads = [] } = await ceph.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.length;
    };
    expect(await unfinished()).toBe(1);

    const now = (): number => Date.now() + LATER_MS;
    const later = await startServer({ env, now });
    try {
      await expect.poll(unfinished).toBe(0);
      expect(await kept()).toEqual(before);
      expect(sha256(await read(clients[1], target))).toBe(sha256(Body));
    } finally {
      await later.stop();
    }
  });
});

function clientOf({ url }: TestServer): S3Client {
  return new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: PAIR,
  });
}

async function read(
  client: S3Client,
  what: { Bucket: string; Key: string; Range?: string },
): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand(what));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
