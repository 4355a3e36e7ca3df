import { CreateBucketCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, vi } from 'vitest';
import { createS3Client, openS3BlobStore } from '../../server/drivers/s3/s3-blob-store.ts';
import type { TestObjectStore } from '../support/object-store.ts';
import { testBlobStore } from './blob-store.ts';

const LATER_MS = 8 * 86_400_000;

/** The driver s3 against a server: each test has a bucket of its own. */
export function testS3BlobStore(
  name: string,
  startObjectStore: () => Promise<TestObjectStore>,
): void {
  let server: TestObjectStore;

  beforeAll(async () => {
    server = await startObjectStore();
    vi.stubEnv('AWS_ACCESS_KEY_ID', server.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.secretAccessKey);
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await server?.stop();
  });

  let buckets = 0;

  testBlobStore(name, async () => {
    buckets += 1;
    const location = {
      bucket: `blobs-${buckets}`,
      endpoint: server.url,
      region: 'us-east-1',
      forcePathStyle: true,
    };
    const client = createS3Client(location);
    await client.send(new CreateBucketCommand({ Bucket: location.bucket }));
    return {
      // What is swept has to be a week old.
      open: () => openS3BlobStore({ ...location, now: () => Date.now() + LATER_MS }),
      async count() {
        let objects = 0;
        for await (const { KeyCount = 0 } of paginateListObjectsV2(
          { client },
          { Bucket: location.bucket },
        )) {
          objects += KeyCount;
        }
        return objects;
      },
      remove: async () => client.destroy(),
    };
  });
}
