import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl } from '../clients/curl-client.ts';
import { isLongRun } from '../support/long-runs.ts';
import { hashFile } from './file-tree.ts';
import { seededBytes } from './seeded-bytes.ts';
import { expectModestMemory, keys, startToolServer, type ToolServer } from './tool-server.ts';

/** Debian's rclone, as docs/s3-clients.md sets it up. */

describe.runIf(isLongRun)('rclone', () => {
  let server: ToolServer;

  beforeAll(async () => {
    server = await startToolServer('rclone', { versionArgs: ['version'] });
    const remote = (name: string, provider: string, endpoint: string): string => `[${name}]
type = s3
provider = ${provider}
endpoint = ${endpoint}
region = us-east-1
access_key_id = ${keys.accessKeyId}
secret_access_key = ${keys.secretAccessKey}
list_url_encode = true
`;
    await server.write(
      '.config/rclone/rclone.conf',
      [
        remote('keystow', 'Other', server.url),
        remote('minio', 'Minio', server.url),
        remote('tls', 'Other', server.tlsUrl),
        `${remote('v2', 'Other', server.url)}v2_auth = true\n`,
      ].join('\n'),
    );
  });

  afterAll(() => server?.stop());

  function rclone(...args: string[]): Promise<string> {
    return server.run(['--retries', '1', ...args]);
  }

  /** What it says at the end of a run. */
  async function statistics(...args: string[]): Promise<string> {
    const { code, stderr } = await server.try(['--retries', '1', '-v', ...args]);
    expect(code, stderr).toBe(0);
    return stderr;
  }

  it.each(['keystow', 'minio', 'v2'])(
    'syncs a folder up and down, and only what changed, by the remote %s',
    async (remote) => {
      const bucket = `${remote}:tree-${remote}`;
      const tree = `tree-${remote}`;
      const back = `back-${remote}`;
      // It takes names that look alike for one otherwise.
      const sync = ['--no-unicode-normalization', 'sync'];
      const hashes = await server.writeTree(tree);
      const count = Object.keys(hashes).length;
      await rclone('mkdir', bucket);
      await rclone(...sync, tree, bucket);
      const again = await statistics(...sync, tree, bucket);
      expect(again).toContain(`Checks:               ${count} / ${count}, 100%`);
      expect(again).toContain('There was nothing to transfer');
      await rclone('--no-unicode-normalization', 'check', tree, bucket);

      await server.write(`${tree}/names/a+b`, 'changed');
      await rm(server.path(`${tree}/names/a%2Fb`));
      const changed = await statistics(...sync, tree, bucket);
      expect(changed).toMatch(/Transferred: +1 \/ 1, 100%/);
      expect(changed).toMatch(/Deleted: +1 \(files\)/);
      await rclone(...sync, bucket, back);
      expect(await server.readTree(back)).toEqual(await server.readTree(tree));
      await rclone('purge', bucket);
      expect(await rclone('lsf', `${remote}:`)).not.toContain(tree);
    },
  );

  it('moves 200 MB in parts, up, down and from key to key', async () => {
    const large = await server.writeLarge('large.bin');
    await rclone('mkdir', 'keystow:large');
    await server.peakMemory();
    const parts = ['--s3-chunk-size', '8M', '--s3-upload-concurrency', '4'];
    await rclone('copy', ...parts, 'large.bin', 'keystow:large/there');
    await rclone(
      'copyto',
      '--s3-copy-cutoff',
      '64M',
      'keystow:large/there/large.bin',
      'keystow:large/copy of it',
    );
    await rclone('moveto', 'keystow:large/copy of it', 'keystow:large/moved+there');
    await rclone('copyto', 'keystow:large/moved+there', 'large.back');
    await expectModestMemory(server, 'rclone');

    expect(await hashFile(server.path('large.back'))).toBe(await hashFile(large));
    const sizes = JSON.parse(
      await rclone('lsjson', '--recursive', '--files-only', 'keystow:large'),
    );
    expect(sizes).toMatchObject([
      { Path: 'moved+there', Size: 209_715_200 },
      { Path: 'there/large.bin', Size: 209_715_200 },
    ]);
    // Of what has no MD5 as its ETag it keeps one with the object.
    const md5 = await rclone('hashsum', 'md5', 'large.bin');
    expect(await rclone('hashsum', 'md5', 'keystow:large/there')).toBe(md5);
    await rclone('cleanup', 'keystow:large');
  });

  it('streams what has no size yet, and reads a part of it', async () => {
    await rclone('mkdir', 'keystow:streams');
    const bytes = seededBytes('stream', 12_000_000);
    await server.run(['rcat', 'keystow:streams/a/stream'], { input: bytes });
    await rclone('copy', 'keystow:streams/a', 'streamed');
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(await server.readTree('streamed')).toEqual({ stream: hash });
    await server.run(['rcat', 'keystow:streams/text'], { input: '0123456789' });
    expect(await rclone('cat', '--offset', '3', '--count', '4', 'keystow:streams/text')).toBe(
      '3456',
    );
    expect(await rclone('cat', '--tail', '2', 'keystow:streams/text')).toBe('89');
  });

  it('touches, moves and removes', async () => {
    await rclone('mkdir', 'keystow:moves');
    await rclone('touch', 'keystow:moves/new');
    await rclone('touch', '--timestamp', '2020-01-02T03:04:05', 'keystow:moves/new');
    await rclone('moveto', 'keystow:moves/new', 'keystow:moves/folder/old & new');
    await rclone('copyto', 'keystow:moves/folder/old & new', 'keystow:moves/folder/copy+of');
    expect(JSON.parse(await rclone('lsjson', 'keystow:moves/folder'))).toMatchObject(
      ['copy+of', 'old & new'].map((Name) => ({
        Name,
        Size: 0,
        ModTime: '2020-01-02T03:04:05.000000000Z',
      })),
    );
    await rclone('deletefile', 'keystow:moves/folder/copy+of');
    expect(await rclone('lsf', '--recursive', '--files-only', 'keystow:moves')).toBe(
      'folder/old & new\n',
    );
    // There is one version of each.
    expect(await rclone('--s3-versions', 'lsf', 'keystow:moves/folder')).toBe('old & new\n');
  });

  it('lists and aborts what was begun in parts', async () => {
    await rclone('mkdir', 'keystow:begun');
    const begun = await curl(
      ...['--user', `admin:${server.password}`, '--request', 'POST', '--data', ''],
      `${server.url}/begun/half?uploads`,
    );
    expect(begun.status, begun.body).toBe(200);
    const list = ['backend', 'list-multipart-uploads', 'keystow:begun'];
    expect(JSON.parse(await rclone(...list))).toMatchObject({ begun: [{ Key: 'half' }] });
    await rclone('backend', 'cleanup', '-o', 'max-age=0s', 'keystow:begun');
    expect(JSON.parse(await rclone(...list))).toEqual({ begun: [] });
  });

  it('links to a file for anybody', async () => {
    await rclone('mkdir', 'keystow:links');
    await server.run(['rcat', 'keystow:links/a+b ü'], { input: 'linked' });
    const url = (await rclone('link', '--expire', '1m', 'keystow:links/a+b ü')).trim();
    const answer = await curl(url);
    expect([answer.status, answer.body], answer.body).toEqual([200, 'linked']);
  });

  it('trusts the certificate that it is given, and no other', async () => {
    const trusting = ['--ca-cert', server.certificate];
    await rclone(...trusting, 'mkdir', 'tls:over-tls');
    await server.run([...trusting, 'rcat', 'tls:over-tls/note'], { input: 'over TLS' });
    expect(await rclone(...trusting, 'cat', 'tls:over-tls/note')).toBe('over TLS');
    const refused = await server.try(['--retries', '1', '--low-level-retries', '1', 'lsd', 'tls:']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('x509');
  });
});
