import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curl } from '../clients/curl-client.ts';
import { isLongRun } from '../support/long-runs.ts';
import { hashFile } from './file-tree.ts';
import { expectModestMemory, keys, startToolServer, type ToolServer } from './tool-server.ts';

/** Debian's awscli, as docs/s3-clients.md sets it up. */

/**
 * It downloads to the name with nine more bytes behind it, and counts characters rather than bytes when it
 * makes room for them.
 */
function takes(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const characters = [...name].length;
  return Buffer.byteLength(name) === characters || Buffer.byteLength(name) + 9 <= 255;
}

describe.runIf(isLongRun)('awscli', () => {
  let server: ToolServer;

  beforeAll(async () => {
    server = await startToolServer('aws');
    await server.write(
      '.aws/credentials',
      `[default]
aws_access_key_id = ${keys.accessKeyId}
aws_secret_access_key = ${keys.secretAccessKey}
`,
    );
    await server.write(
      '.aws/config',
      `[default]
region = us-east-1
s3 =
    addressing_style = path
`,
    );
  });

  afterAll(() => server?.stop());

  function aws(...args: string[]): Promise<string> {
    return server.run(['--endpoint-url', server.url, ...args]);
  }

  function s3(...args: string[]): Promise<string> {
    return aws('s3', ...args);
  }

  async function api(command: string, ...args: string[]): Promise<Record<string, unknown>> {
    const answer = await aws('s3api', command, '--output', 'json', ...args);
    return answer === '' ? {} : JSON.parse(answer);
  }

  it('syncs a folder up and down, and only what changed', async () => {
    const hashes = await server.writeTree('tree', takes);
    const count = Object.keys(hashes).length;
    await s3('mb', 's3://tree');
    const first = await s3('sync', '--no-progress', 'tree', 's3://tree');
    expect(first.match(/^upload: /gm)).toHaveLength(count);
    expect(await s3('sync', '--no-progress', 'tree', 's3://tree')).toBe('');
    const listed = await s3('ls', '--recursive', '--summarize', 's3://tree');
    expect(listed).toContain(`Total Objects: ${count}\n`);

    await server.write('tree/names/a+b', 'changed');
    await rm(server.path('tree/names/a%2Fb'));
    const second = await s3('sync', '--no-progress', '--delete', 'tree', 's3://tree');
    expect(second.trim().split('\n').sort()).toEqual([
      'delete: s3://tree/names/a%2Fb',
      'upload: tree/names/a+b to s3://tree/names/a+b',
    ]);

    await s3('sync', '--only-show-errors', 's3://tree', 'back');
    expect(await server.readTree('back')).toEqual(await server.readTree('tree'));

    const removed = await s3('rm', '--recursive', 's3://tree/');
    expect(removed.match(/^delete: /gm)).toHaveLength(count - 1);
    await s3('rb', 's3://tree');
    const gone = await server.try(['--endpoint-url', server.url, 's3', 'ls', 's3://tree']);
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toContain('NoSuchBucket');
  });

  it('moves 200 MB in parts, up, down and from key to key', async () => {
    const large = await server.writeLarge('large.bin');
    await s3('mb', 's3://large');
    await server.peakMemory();
    await s3('cp', '--only-show-errors', 'large.bin', 's3://large/large.bin');
    await s3('cp', '--only-show-errors', 's3://large/large.bin', 'large.back');
    await s3('cp', '--only-show-errors', 's3://large/large.bin', 's3://large/copy of it');
    await s3('mv', '--only-show-errors', 's3://large/copy of it', 's3://large/moved+there');
    await expectModestMemory(server, 'awscli');

    expect(await hashFile(server.path('large.back'))).toBe(await hashFile(large));
    const heads = ['large.bin', 'moved+there'].map((key) =>
      api('head-object', '--bucket', 'large', '--key', key),
    );
    const [original, moved] = await Promise.all(heads);
    // Parts of 8 MiB, and so the same ETag.
    expect(original?.['ETag']).toMatch(/^"[\da-f]{32}-25"$/);
    expect(moved).toMatchObject({
      ETag: original?.['ETag'],
      ContentLength: original?.['ContentLength'],
    });
    const listed = await api('list-objects-v2', '--bucket', 'large', '--query', 'Contents[].Key');
    expect(listed).toEqual(['large.bin', 'moved+there']);
    await s3('rb', '--force', 's3://large');
  });

  it('streams from and to a pipe', async () => {
    await s3('mb', 's3://pipes');
    const input = Buffer.alloc(9_000_000, 'piped ');
    await server.run(['--endpoint-url', server.url, 's3', 'cp', '-', 's3://pipes/a'], { input });
    const back = await s3('cp', 's3://pipes/a', '-');
    expect(back === input.toString()).toBe(true);
  });

  it('presigns a URL that anybody may read', async () => {
    await s3('mb', 's3://signed');
    await server.write('note.txt', 'read by curl');
    await s3('cp', 'note.txt', 's3://signed/a b+c%2F/ü.txt', '--content-type', 'text/x-note');
    const url = (await s3('presign', 's3://signed/a b+c%2F/ü.txt', '--expires-in', '60')).trim();
    const answer = await curl(url);
    expect([answer.status, answer.body], answer.body).toEqual([200, 'read by curl']);
    expect(answer.headers.get('content-type')).toBe('text/x-note');
    expect((await curl(url.replace(/\?.*/, ''))).status).toBe(403);
    expect((await curl(url.replace('a%20b', 'a%20c'))).body).toContain('SignatureDoesNotMatch');
  });

  it('says of objects what was said when they were put', async () => {
    await s3('mb', 's3://said');
    await server.write('note.txt', 'said');
    const target = ['--bucket', 'said', '--key', 'notes/1 & 2'];
    const settings = ['--metadata', 'Mood=fine,day=monday', '--cache-control', 'no-cache'];
    const stored = await api('put-object', ...target, '--body', 'note.txt', ...settings);
    const head = await api('head-object', ...target);
    expect(head).toMatchObject({
      ETag: stored['ETag'],
      ContentLength: 4,
      CacheControl: 'no-cache',
      ContentType: 'binary/octet-stream',
      Metadata: { mood: 'fine', day: 'monday' },
    });

    const tags = [{ Key: 'a key', Value: 'a+b=c' }];
    await api('put-object-tagging', ...target, '--tagging', JSON.stringify({ TagSet: tags }));
    expect(await api('get-object-tagging', ...target)).toEqual({ TagSet: tags });
    await api('delete-object-tagging', ...target);
    expect(await api('get-object-tagging', ...target)).toEqual({ TagSet: [] });

    // As S3 says us-east-1.
    const location = await api('get-bucket-location', '--bucket', 'said');
    expect(location).toEqual({ LocationConstraint: null });
  });

  it('pages through lists, and deletes many objects in one call', async () => {
    await s3('mb', 's3://pages');
    const names = Array.from({ length: 23 }, (_, at) => `p ${at % 3}/n+${String(at)}`).sort();
    for (const name of names) await server.write(`pages/${name}`, name);
    await s3('sync', '--only-show-errors', 'pages', 's3://pages');
    const bucket = ['--bucket', 'pages'];
    const all = await api(
      'list-objects-v2',
      ...bucket,
      '--page-size',
      '5',
      '--query',
      'Contents[].Key',
    );
    expect(all).toEqual(names);
    const old = await api(
      'list-objects',
      ...bucket,
      '--page-size',
      '4',
      '--query',
      'Contents[].Key',
    );
    expect(old).toEqual(names);
    const top = await api('list-objects-v2', ...bucket, '--delimiter', '/', '--page-size', '1');
    expect(top['CommonPrefixes']).toEqual(['p 0/', 'p 1/', 'p 2/'].map((Prefix) => ({ Prefix })));
    const one = await api('list-objects-v2', ...bucket, '--max-items', '2', '--page-size', '1');
    expect(one['Contents']).toHaveLength(2);
    const token = String(one['NextToken']);
    const next = await api('list-objects-v2', ...bucket, '--starting-token', token);
    expect(next['Contents']).toHaveLength(names.length - 2);

    const [kept = '', ...dropped] = names;
    const wanted = { Objects: [...dropped, 'never there'].map((Key) => ({ Key })) };
    const answer = await api('delete-objects', ...bucket, '--delete', JSON.stringify(wanted));
    expect(answer['Deleted']).toHaveLength(names.length);
    expect(answer['Errors']).toBeUndefined();
    const left = await api('list-objects-v2', ...bucket, '--query', 'Contents[].Key');
    expect(left).toEqual([kept]);
  });

  it('lists and aborts what was begun in parts', async () => {
    await s3('mb', 's3://begun');
    const target = ['--bucket', 'begun', '--key', 'a part of+it'];
    const upload = await api('create-multipart-upload', ...target);
    const id = ['--upload-id', String(upload['UploadId'])];
    await server.write('part', 'the only part');
    const part = await api('upload-part', ...target, ...id, '--part-number', '3', '--body', 'part');
    const uploads = await api('list-multipart-uploads', '--bucket', 'begun');
    expect(uploads['Uploads']).toMatchObject([{ Key: 'a part of+it', UploadId: id[1] }]);
    const parts = await api('list-parts', ...target, ...id);
    expect(parts['Parts']).toMatchObject([{ PartNumber: 3, ETag: part['ETag'], Size: 13 }]);
    await api('abort-multipart-upload', ...target, ...id);
    const after = await api('list-multipart-uploads', '--bucket', 'begun');
    expect(after['Uploads']).toBeUndefined();
  });

  it('trusts the certificate that it is given, and no other', async () => {
    await server.write('note.txt', 'over TLS');
    const tls = ['--endpoint-url', server.tlsUrl, 's3'];
    const trusting = ['--ca-bundle', server.certificate, ...tls];
    await server.run([...trusting, 'mb', 's3://over-tls']);
    await server.run([...trusting, 'cp', 'note.txt', 's3://over-tls/note.txt']);
    expect(await server.run([...trusting, 'cp', 's3://over-tls/note.txt', '-'])).toBe('over TLS');
    const refused = await server.try([...tls, 'ls'], { env: { AWS_MAX_ATTEMPTS: '1' } });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('SSL validation failed');
  });

  it('hears of a wrong secret', async () => {
    const env = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' };
    const refused = await server.try(['--endpoint-url', server.url, 's3', 'ls'], { env });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('SignatureDoesNotMatch');
  });
});
