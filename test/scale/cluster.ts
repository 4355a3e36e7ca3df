import { randomBytes } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../server/drivers/s3/s3-blob-store.ts';
import { createDatabase } from '../support/database.ts';
import type { TestObjectStore } from '../support/object-store.ts';
import { startS3rver } from '../support/s3rver.ts';

export interface StoreSettings extends Record<string, string> {
  readonly STORE: string;
}

/** What the nodes of one store share: a PostgreSQL, an S3 server, and the settings that name them. */
export interface Backends {
  /** For a store of its own in the same servers. */
  settings(): Promise<StoreSettings>;
  stop(): Promise<void>;
}

export interface BackendOptions {
  readonly startObjectStore?: () => Promise<TestObjectStore>;
  /** In another PostgreSQL than the one that tests share. */
  readonly database?: { createDatabase(): Promise<string> };
}

export async function startBackends({
  startObjectStore = startS3rver,
  database = { createDatabase },
}: BackendOptions = {}): Promise<Backends> {
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
        STORE: await database.createDatabase(),
        BLOBS: `s3://${bucket}?endpoint=${encodeURIComponent(objectStore.url)}&forcePathStyle=true`,
        MASTER_KEY: randomBytes(32).toString('base64'),
        AWS_ACCESS_KEY_ID: objectStore.accessKeyId,
        AWS_SECRET_ACCESS_KEY: objectStore.secretAccessKey,
      };
    },
    stop: objectStore.stop,
  };
}
