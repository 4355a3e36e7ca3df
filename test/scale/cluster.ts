import { randomBytes } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../server/drivers/s3/s3-blob-store.ts';
import { createDatabase } from '../support/database.ts';
import type { TestObjectStore } from '../support/object-store.ts';
import { startS3rver } from '../support/s3rver.ts';

/** What the nodes of one store share: a PostgreSQL, an S3 server, and the settings that name them. */
export interface Backends {
  /** For a store of its own in the same servers. */
  settings(): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startBackends(
  startObjectStore: () => Promise<TestObjectStore> = startS3rver,
): Promise<Backends> {
  const objectStore = await startObjectStore();
  // The driver's own client, and the nodes within this process, take them from here.
  process.env['AWS_ACCESS_KEY_ID'] = objectStore.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = objectStore.secretAccessKey;
  let stores = 0;
  return {
    async settings() {
      stores += 1;
      const bucket = `blobs-${stores}`;
      const location = {
        bucket,
        endpoint: objectStore.url,
        region: 'us-east-1',
        forcePathStyle: true,
      };
      const client = createS3Client(location);
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      client.destroy();
      return {
        STORE: await createDatabase(),
        BLOBS: `s3://${bucket}?endpoint=${encodeURIComponent(objectStore.url)}&forcePathStyle=true`,
        MASTER_KEY: randomBytes(32).toString('base64'),
        AWS_ACCESS_KEY_ID: objectStore.accessKeyId,
        AWS_SECRET_ACCESS_KEY: objectStore.secretAccessKey,
      };
    },
    stop: objectStore.stop,
  };
}
