import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { expectModestMemory, keys, startToolServer, type ToolServer } from './tool-server.ts';

/** Debian's python3-boto3, which the script uses as docs/s3-clients.md shows. */

const SCRIPT = resolve(import.meta.dirname, 'boto3-client.py');

describe.runIf(isLongRun)('boto3', () => {
  let server: ToolServer;

  beforeAll(async () => {
    server = await startToolServer('python3', {
      versionArgs: [SCRIPT, 'version', '', ''],
      env: {
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_MAX_ATTEMPTS: '1',
      },
    });
  });

  afterAll(() => server?.stop());

  function boto3(section: string, url = server.url): Promise<string> {
    return server.run([SCRIPT, section, url, server.certificate]);
  }

  it('puts, reads, lists, copies and deletes objects, with either signature', async () => {
    await boto3('objects');
  });

  it('does so over TLS, with the certificate that the server made', async () => {
    await boto3('objects', server.tlsUrl);
  });

  it('moves 200 MB in parts, up, down and from key to key', async () => {
    await server.writeLarge('large.bin');
    await server.peakMemory();
    await boto3('parts');
    await expectModestMemory(server, 'boto3');
  });

  it('presigns URLs and forms for those without a key, with either signature', async () => {
    await boto3('presigned');
  });

  it('raises the errors that its callers know', async () => {
    await boto3('errors');
  });
});
