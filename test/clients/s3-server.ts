import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** A server for S3's clients: an access key, and two buckets. */

export const keys = {
  accessKeyId: 'AKIDEXAMPLE0CLIENTS',
  // With what has to be escaped somewhere.
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

/** Private. */
export const BUCKET = 'client-files';
/** Everybody may write. */
export const OPEN_BUCKET = 'open-files';

export async function startS3Server(env: Record<string, string> = {}): Promise<TestServer> {
  const server = await startServer({
    env: { ACCESS_KEY_ID: keys.accessKeyId, SECRET_ACCESS_KEY: keys.secretAccessKey, ...env },
  });
  const rest = createRest(server.url);
  await rest('PUT', `/api/buckets/${BUCKET}`, {});
  await rest('PUT', `/api/buckets/${OPEN_BUCKET}`, { acl: 'public-read-write' });
  return server;
}
