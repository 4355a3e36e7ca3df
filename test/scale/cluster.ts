import { randomBytes } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../server/drivers/s3/s3-blob-store.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startS3rver } from '../support/s3rver.ts';

/** What the nodes of one store share: a PostgreSQL, an S3 server, and the settings that name them. */
export interface Backends {
  /** For a store of its own in the same servers. */
  settings(): Promise<StoreSettings>;
  stop(): Promise<void>;
}

export interface StoreSettings extends Record<string, string> {
  readonly STORE: string;
}

export async function startBackends(
  starting: Promise<Pick<TestPostgres, 'createDatabase' | 'stop'>> = startPostgres(),
): Promise<Backends> {
  const [postgres, s3rver] = await Promise.all([starting, startS3rver()]);
  // The driver's own client, and the nodes within this process, take them from here.
  process.env['AWS_ACCESS_KEY_ID'] = s3rver.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = s3rver.secretAccessKey;
  let stores = 0;
  return {
    async settings() {
      stores += 1;
      const bucket = `blobs-${stores}`;
      const location = {
        bucket,
        endpoint: s3rver.url,
        region: 'us-east-1',
        forcePathStyle: true,
      };
      const client = createS3Client(location);
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      client.destroy();
      return {
        STORE: await postgres.createDatabase(),
        BLOBS: `s3://${bucket}?endpoint=${encodeURIComponent(s3rver.url)}&forcePathStyle=true`,
        MASTER_KEY: randomBytes(32).toString('base64'),
        AWS_ACCESS_KEY_ID: s3rver.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3rver.secretAccessKey,
      };
    },
    async stop() {
      await Promise.all([postgres.stop(), s3rver.stop()]);
    },
  };
}
