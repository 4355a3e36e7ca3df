import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import { openFileBlobStore } from '../../server/drivers/file/file-blob-store.ts';
import { openLevelStore } from '../../server/drivers/level/level-store.ts';
import { type Buckets, createBuckets, type StoredBucket } from '../../server/services/buckets.ts';
import { ANONYMOUS } from '../../server/services/caller.ts';
import { createHashThreads } from '../../server/services/hash-threads.ts';
import {
  createMultipartUploads,
  type MultipartUploads,
} from '../../server/services/multipart-uploads.ts';
import { createObjectBytes, type ObjectBytes } from '../../server/services/object-bytes.ts';
import { createObjects, type Objects, type StoredObject } from '../../server/services/objects.ts';
import type { Part } from '../../server/services/part-records.ts';
import type { MultipartUpload } from '../../server/services/upload-records.ts';
import type { KvStore } from '../../server/stores/kv-store.ts';
import { blobFiles } from '../support/blob-files.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { makeFolder } from '../support/make-folder.ts';
import { checkStoredBytes } from '../support/stored-bytes.ts';

/** Objects and uploads in parts over the embedded drivers, without a server: what lies there is seen. */
export interface ObjectServices {
  readonly store: KvStore;
  readonly buckets: Buckets;
  readonly objectBytes: ObjectBytes;
  readonly objects: Objects;
  readonly uploads: MultipartUploads;
  /** What `now` tells. */
  readonly clock: { now: number };
  bucket(name?: string): Promise<StoredBucket>;
  begin(key: string): Promise<MultipartUpload>;
  putPart(upload: MultipartUpload, number: number, bytes: Buffer): Promise<Part>;
  complete(upload: MultipartUpload, parts: readonly Part[]): Promise<StoredObject>;
  /** In one piece. */
  put(key: string, bytes: Buffer): Promise<StoredObject>;
  read(key: string, range?: { start: number; end: number }): Promise<Buffer | undefined>;
  /** Names of the files that hold bytes. */
  files(): Promise<string[]>;
  keys(prefix: string): Promise<string[]>;
  /**
   * That the bytes and the files are those of the objects and of the uploads under way, and that nothing
   * waits to be removed.
   */
  expectTidy(): Promise<void>;
  close(): Promise<void>;
}

export const BUCKET = 'parts';

export async function openObjectServices(): Promise<ObjectServices> {
  const dataDir = await makeFolder();
  const clock = { now: Date.now() };
  const now = (): number => clock.now;
  const log = pino({ level: 'silent' });
  const store = await openLevelStore({
    dataDir,
    changesKeep: 1_000,
    now,
    onFailed: () => undefined,
    onDamaged: () => undefined,
  });
  const blobs = await openFileBlobStore(join(dataDir, 'blobs'));
  const buckets = createBuckets(store, now);
  const threads = createHashThreads(startHashWorker);
  const objectBytes = createObjectBytes({ store, blobs, threads, log, now, graceMs: 0 });
  const objects = createObjects({ store, objectBytes, buckets, log, now });
  const uploads = createMultipartUploads({ store, buckets, objects, objectBytes, now });
  await buckets.makeOnce(BUCKET);

  const attributes = {
    acl: 'private',
    headers: {},
    metadata: [],
    storageClass: 'STANDARD',
    tags: [],
  } as const;
  const receive = (bytes: Buffer) => objects.receive(single(bytes), { ranges: [], expected: {} });
  const mayWrite = (): void => undefined;

  async function bucket(name = BUCKET): Promise<StoredBucket> {
    const found = await buckets.find(name);
    if (!found) throw new Error(`There is no bucket ${name}.`);
    return found;
  }

  async function keys(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for await (const page of store.keys({ prefix })) found.push(...page);
    return found;
  }

  const files = (): Promise<string[]> => blobFiles(dataDir);

  return {
    ...{ store, buckets, objectBytes, objects, uploads, clock, bucket, files, keys },
    begin: async (key) =>
      uploads.create(
        { bucket: await bucket(), key },
        { attributes, checksum: undefined },
        ANONYMOUS,
      ),
    putPart: async (upload, number, bytes) =>
      uploads.putPart(upload, number, await receive(bytes), ANONYMOUS),
    complete: async (upload, parts) =>
      uploads.complete(
        { bucket: await bucket(), key: upload.key },
        upload.id,
        { parts: parts.map(({ number, etag }) => ({ number, etag })) },
        ANONYMOUS,
        mayWrite,
      ),
    put: async (key, bytes) =>
      objects.put(
        { bucket: await bucket(), key },
        await receive(bytes),
        attributes,
        ANONYMOUS,
        mayWrite,
      ),
    async read(key, range) {
      const object = await objects.find(BUCKET, key);
      const bytes = object && (await objects.read(object, range));
      return bytes && readAll(bytes);
    },
    async expectTidy() {
      const problems = async () => checkStoredBytes(store, await files());
      await expect.poll(problems).toEqual([]);
    },
    async close() {
      await threads.close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export async function readAll(bytes: AsyncIterable<Buffer> | Buffer): Promise<Buffer> {
  if (Buffer.isBuffer(bytes)) return bytes;
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}
