import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { cliFor } from './run-cli.ts';

let server: TestServer;
let rest: Rest;
let cli: ReturnType<typeof cliFor>;
const asAda = { KEYSTOW_USER: 'ada', KEYSTOW_PASSWORD: 'x' };
const done = { code: 0, stdout: '', stderr: '' };

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  cli = cliFor(server.url, server.password);
  const grants = [{ prefix: 'seen-by-ada/', access: 'write' }];
  await rest('PUT', '/api/users/ada', { password: 'x', role: 'member', grants });
  await rest('PUT', '/api/buckets/seen-by-ada', {});
});
afterAll(() => server.stop());

async function buckets(): Promise<unknown> {
  return (await rest('GET', '/api/buckets')).json;
}

function bucket(name: string, acl: string): unknown {
  return { name, acl, createdAt: expect.any(String) };
}

describe('bucket add', () => {
  it('adds a private bucket, or one with the ACL that is given', async () => {
    expect(await cli(['bucket', 'add', 'plain'])).toEqual(done);
    expect(await cli(['bucket', 'add', 'open.one', '--acl', 'public-read-write'])).toEqual(done);
    expect(await buckets()).toContainEqual(bucket('plain', 'private'));
    expect(await buckets()).toContainEqual(bucket('open.one', 'public-read-write'));
  });

  it('refuses a name that exists, and with --update changes only what is given', async () => {
    await cli(['bucket', 'add', 'twice', '--acl', 'public-read']);
    expect(await cli(['bucket', 'add', 'twice', '--acl', 'private'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: twice exists already; add --update to change the bucket.\n',
    });
    expect(await cli(['bucket', 'add', 'twice', '--update'])).toEqual(done);
    expect(await buckets()).toContainEqual(bucket('twice', 'public-read'));
    const args = ['bucket', 'add', 'twice', '--update', '--acl', 'authenticated-read'];
    expect(await cli(args)).toEqual(done);
    expect(await buckets()).toContainEqual(bucket('twice', 'authenticated-read'));
  });

  it('sets what concerns saves, and takes it back', async () => {
    const add = ['bucket', 'add', 'consoles'];
    const settings = ['--saves', '--save-prefix', '10.GAME', '--keep-versions', '3'];
    expect(await cli([...add, ...settings])).toEqual(done);
    const made = bucket('consoles', 'private') as object;
    const kept = { ...made, saves: true, savePrefix: '10.GAME', keepVersions: 3 };
    expect(await buckets()).toContainEqual(kept);
    expect(await cli([...add, '--update'])).toEqual(done);
    expect(await buckets()).toContainEqual(kept);
    const less = ['--no-save-prefix', '--keep-versions', 'all'];
    expect(await cli([...add, '--update', ...less])).toEqual(done);
    expect(await buckets()).toContainEqual({ ...made, saves: true });
    expect(await cli([...add, '--update', '--no-saves'])).toEqual(done);
    expect(await buckets()).toContainEqual(made);
  });

  it('adds with --update too', async () => {
    expect(await cli(['bucket', 'add', 'updated', '--update'])).toEqual(done);
    expect(await buckets()).toContainEqual(bucket('updated', 'private'));
  });

  it.each([
    ['Photos', /^keystow: Photos cannot be a bucket's name: it has 3 to 63 [^\n]+\n$/],
    ['a/b %41?', /^keystow: a\/b %41\? cannot be a bucket's name: [^\n]+\n$/],
    ['..', /^keystow: \.\. cannot be a bucket's name: [^\n]+\n$/],
    ['data', /^keystow: data cannot be a bucket's name: Keystow keeps that path[^\n]+\n$/],
  ])('refuses the name %s with the sentence of the server', async (name, message) => {
    const before = await buckets();
    const { code, stdout, stderr } = await cli(['bucket', 'add', name]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(await buckets()).toEqual(before);
  });

  it.each([
    [['odd', '--acl', 'public']],
    [['odd', '--keep-versions', '0']],
    [['odd', '--save-prefix', '']],
    [['']],
    [[]],
  ])('%j is wrong usage', async (args) => {
    const before = await buckets();
    const { code, stdout, stderr } = await cli(['bucket', 'add', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^keystow: /);
    expect(await buckets()).toEqual(before);
  });

  it('names the ACLs there are', async () => {
    const { stderr } = await cli(['bucket', 'add', 'odd', '--acl', 'public']);
    expect(stderr).toContain('private, public-read, public-read-write, authenticated-read');
  });

  it('is for admins', async () => {
    for (const args of [['of-ada'], ['plain'], ['seen-by-ada', '--update']]) {
      const { code, stderr } = await cli(['bucket', 'add', ...args], { env: asAda });
      expect(stderr).toMatch(/^keystow: Only an admin [^\n]+\n$/);
      expect(code).toBe(1);
    }
    expect(JSON.stringify(await buckets())).not.toContain('of-ada');
  });
});

describe('bucket list', () => {
  beforeAll(async () => {
    await rest('PUT', '/api/buckets/listed', { acl: 'bucket-owner-full-control' });
    await rest('PUT', '/api/buckets/saves', {
      saves: true,
      savePrefix: '10.GAME',
      keepVersions: 1,
    });
    await rest('PUT', '/api/buckets/all-saves', { saves: true });
  });

  it('prints a table', async () => {
    const { code, stdout, stderr } = await cli(['bucket', 'list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^NAME {2,}ACL {2,}CREATED {2,}SAVES {2,}SAVE PREFIX$/);
    const row = lines.find((line) => line.startsWith('listed '));
    expect(row?.slice(lines[0]?.indexOf('ACL'))).toMatch(/^bucket-owner-full-control {2}\S+$/);
    expect(row?.slice(lines[0]?.indexOf('CREATED'))).toMatch(/^\d{4}-\S+Z$/);
    expect(stdout).toMatch(/^saves .*Z {2,}1 version {2,}10\.GAME$/m);
    expect(stdout).toMatch(/^all-saves .*Z {2,}all versions$/m);
  });

  it('prints JSON', async () => {
    const { code, stdout } = await cli(['bucket', 'list', '--json']);
    expect(JSON.parse(stdout)).toEqual(await buckets());
    expect(code).toBe(0);
  });

  it('shows a member those of its grants', async () => {
    const { code, stdout } = await cli(['bucket', 'list', '--json'], { env: asAda });
    expect(JSON.parse(stdout)).toEqual([bucket('seen-by-ada', 'private')]);
    expect(code).toBe(0);
  });
});

describe('bucket remove', () => {
  it('removes, and fails for a name that is absent', async () => {
    await rest('PUT', '/api/buckets/to-remove', {});
    expect(await cli(['bucket', 'remove', 'to-remove'])).toEqual(done);
    expect(await buckets()).not.toContainEqual(bucket('to-remove', 'private'));
    expect(await cli(['bucket', 'remove', 'to-remove'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: There is no bucket to-remove.\n',
    });
  });

  it('fails for a bucket with objects in it', async () => {
    await rest('PUT', '/api/buckets/full', {});
    await upload('full', 'a');
    expect(await cli(['bucket', 'remove', 'full'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: full has objects in it: delete them first.\n',
    });
    expect(await buckets()).toContainEqual(bucket('full', 'private'));
  });

  it('wants a name', async () => {
    for (const args of [[], ['']]) {
      const { code, stderr } = await cli(['bucket', 'remove', ...args]);
      expect(stderr).toMatch(/^keystow: /);
      expect(code).toBe(2);
    }
  });

  it('is for admins', async () => {
    const { code, stderr } = await cli(['bucket', 'remove', 'seen-by-ada'], { env: asAda });
    expect(stderr).toMatch(/^keystow: Only an admin [^\n]+\n$/);
    expect(code).toBe(1);
    expect(await buckets()).toContainEqual(bucket('seen-by-ada', 'private'));
  });
});

async function upload(name: string, objectKey: string): Promise<void> {
  const form = new FormData();
  form.append('key', objectKey);
  form.append('file', new Blob(['content']));
  const { status } = await fetch(`${server.url}/${name}`, {
    method: 'POST',
    headers: { authorization: basic('admin', server.password) },
    body: form,
  });
  expect(status).toBe(204);
}
