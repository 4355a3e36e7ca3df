import { CreateBucketCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, vi } from 'vitest';
import { createS3Client, openS3BlobStore } from '../../server/drivers/s3/s3-blob-store.ts';
import { startS3rver, type TestS3rver } from '../support/s3rver.ts';
import { testBlobStore } from './blob-store.ts';

const LATER_MS = 8 * 86_400_000;

let s3rver: TestS3rver;

beforeAll(async () => {
  s3rver = await startS3rver();
  vi.stubEnv('AWS_ACCESS_KEY_ID', s3rver.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3rver.secretAccessKey);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await s3rver.stop();
});

let buckets = 0;

testBlobStore('s3', async () => {
  buckets += 1;
  const location = {
    bucket: `blobs-${buckets}`,
    endpoint: s3rver.url,
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
