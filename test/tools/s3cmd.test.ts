import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl } from '../clients/curl-client.ts';
import { isLongRun } from '../support/long-runs.ts';
import { hashFile } from './file-tree.ts';
import { expectModestMemory, keys, startToolServer, type ToolServer } from './tool-server.ts';

/** Debian's s3cmd, as docs/s3-clients.md sets it up. */

/** It puts `^A` and the like in the place of what does not print, in keys, too. */
const takes = (path: string): boolean => !/\p{Cc}/u.test(path);

describe.runIf(isLongRun)('s3cmd', () => {
  let server: ToolServer;

  beforeAll(async () => {
    server = await startToolServer('s3cmd');
    const { host } = new URL(server.url);
    await server.write(
      '.s3cfg',
      `[default]
access_key = ${keys.accessKeyId}
secret_key = ${keys.secretAccessKey}
host_base = ${host}
host_bucket = ${host}
use_https = False
`,
    );
  });

  afterAll(() => server?.stop());

  function s3cmd(...args: string[]): Promise<string> {
    return server.run(['--no-progress', ...args]);
  }

  /** What `info` tells, by name. */
  async function info(url: string): Promise<Record<string, string>> {
    const lines = (await s3cmd('info', url)).split('\n');
    return Object.fromEntries(
      lines.flatMap((line) => {
        const [, name = '', value = ''] = /^ +([^:]+): +(.*)$/.exec(line) ?? [];
        return name === '' ? [] : [[name, value]];
      }),
    );
  }

  it.each([
    ['Signature Version 4', []],
    ['Signature Version 2', ['--signature-v2']],
  ])('syncs a folder up and down with %s, and only what changed', async (version, signing) => {
    const [name = ''] = /\d/.exec(version) ?? [];
    const tree = `tree-${name}`;
    const hashes = await server.writeTree(tree, takes);
    const count = Object.keys(hashes).length;
    await s3cmd(...signing, 'mb', `s3://${tree}`);
    const sync = ['sync', ...signing, '--delete-removed'];
    const first = await s3cmd(...sync, `${tree}/`, `s3://${tree}/`);
    expect(first.match(/^upload: /gm)).toHaveLength(count);
    expect(await s3cmd(...sync, `${tree}/`, `s3://${tree}/`)).toBe('');

    await server.write(`${tree}/names/a+b`, 'changed');
    await rm(server.path(`${tree}/names/a%2Fb`));
    const second = await s3cmd(...sync, `${tree}/`, `s3://${tree}/`);
    expect(second.match(/^(upload|delete): .*$/gm)).toEqual([
      `delete: 's3://${tree}/names/a%2Fb'`,
      expect.stringMatching(`^upload: '${tree}/names/a\\+b' -> `),
    ]);

    const back = `back-${name}`;
    await server.write(`${back}/left over`, 'not in the bucket');
    await s3cmd(...sync, `s3://${tree}/`, `${back}/`);
    expect(await server.readTree(back)).toEqual(await server.readTree(tree));

    await s3cmd(...signing, 'del', '--recursive', '--force', `s3://${tree}/`);
    await s3cmd(...signing, 'rb', `s3://${tree}`);
    expect(await s3cmd(...signing, 'ls')).not.toContain(tree);
  });

  it('moves 200 MB in parts', async () => {
    const large = await server.writeLarge('large.bin');
    await s3cmd('mb', 's3://large');
    await server.peakMemory();
    await s3cmd('put', '--multipart-chunk-size-mb', '16', 'large.bin', 's3://large/large.bin');
    await s3cmd('cp', 's3://large/large.bin', 's3://large/copy of it');
    await s3cmd('mv', 's3://large/copy of it', 's3://large/moved+there');
    await s3cmd('get', 's3://large/moved+there', 'large.back');
    await expectModestMemory(server, 's3cmd');

    expect(await hashFile(server.path('large.back'))).toBe(await hashFile(large));
    const listed = await s3cmd('ls', 's3://large');
    expect(listed.match(/s3:.*/g)).toEqual(['s3://large/large.bin', 's3://large/moved+there']);
    expect(await s3cmd('du', 's3://large')).toMatch(/^ *419430400 +2 objects/);
    expect(await s3cmd('multipart', 's3://large')).not.toContain('large.bin');
  });

  it('shows and changes what is said of an object', async () => {
    await s3cmd('mb', 's3://said');
    await server.write('note.txt', 'said');
    const url = 's3://said/a+b & ü.txt';
    await s3cmd(
      'put',
      'note.txt',
      url,
      '--mime-type=text/x-note',
      '--add-header=x-amz-meta-day:monday',
    );
    expect(await info(url)).toMatchObject({
      'File size': '4',
      'MIME type': 'text/x-note',
      'x-amz-meta-day': 'monday',
      Storage: 'STANDARD',
    });
    await s3cmd(
      'modify',
      url,
      '--add-header=Cache-Control:no-cache',
      '--add-header=x-amz-meta-day:friday',
    );
    expect(await info(url)).toMatchObject({
      'x-amz-meta-day': 'friday',
      'MIME type': 'text/x-note',
    });
    expect(await s3cmd('get', url, '-')).toContain('said');
    expect((await info('s3://said'))['Location']).toBe('us-east-1');
  });

  it('lets anybody read, and nobody', async () => {
    await s3cmd('mb', 's3://shared');
    await server.write('note.txt', 'shared');
    await s3cmd('put', 'note.txt', 's3://shared/note.txt');
    const url = `${server.url}/shared/note.txt`;
    expect((await curl(url)).status).toBe(403);
    await s3cmd('setacl', '--acl-public', 's3://shared/note.txt');
    const read = await curl(url);
    expect([read.status, read.body]).toEqual([200, 'shared']);
    await s3cmd('setacl', '--acl-private', 's3://shared/note.txt');
    expect((await curl(url)).status).toBe(403);

    expect((await curl(`${server.url}/shared`)).status).toBe(403);
    await s3cmd('setacl', '--acl-public', 's3://shared');
    expect((await curl(`${server.url}/shared`)).body).toContain('<Key>note.txt</Key>');
    await s3cmd('setacl', '--acl-private', 's3://shared');
    expect((await curl(`${server.url}/shared`)).status).toBe(403);
    await s3cmd('put', '--acl-public', 'note.txt', 's3://shared/public.txt');
    expect((await curl(`${server.url}/shared/public.txt`)).status).toBe(200);
  });

  it('signs a URL that anybody may read', async () => {
    await s3cmd('mb', 's3://signed');
    await server.write('note.txt', 'read by curl');
    await s3cmd('put', 'note.txt', 's3://signed/a+b.txt');
    const url = (await s3cmd('signurl', 's3://signed/a+b.txt', '+60')).trim();
    const answer = await curl(url);
    expect([answer.status, answer.body], answer.body).toEqual([200, 'read by curl']);
    expect((await curl(url.replace('Expires=', 'Expires=1'))).status).toBe(403);
    const expired = (await s3cmd('signurl', 's3://signed/a+b.txt', '1000000000')).trim();
    expect((await curl(expired)).body).toContain('Request has expired');
  });

  it('trusts the certificate that it is given, and no other', async () => {
    const { host } = new URL(server.tlsUrl);
    const tls = ['--ssl', `--host=${host}`, `--host-bucket=${host}`];
    const trusting = [...tls, `--ca-certs=${server.certificate}`];
    await server.write('note.txt', 'over TLS');
    await s3cmd(...trusting, 'mb', 's3://over-tls');
    await s3cmd(...trusting, 'put', 'note.txt', 's3://over-tls/note.txt');
    expect(await s3cmd(...trusting, 'ls', 's3://over-tls')).toContain('s3://over-tls/note.txt');
    const refused = await server.try([...tls, 'ls']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('certificate verify failed');
  });

  it('hears of a wrong secret', async () => {
    const refused = await server.try(['--secret_key=wrong', 'ls']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('SignatureDoesNotMatch');
  });
});
