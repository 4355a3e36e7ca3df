import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { cliFor, fakeServer } from './run-cli.ts';

let server: TestServer;
let rest: Rest;
let cli: ReturnType<typeof cliFor>;
const asAda = { KEYSTOW_USER: 'ada', KEYSTOW_PASSWORD: 'x' };

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  cli = cliFor(server.url, server.password);
  await rest('PUT', '/api/users/ada', { password: 'x', role: 'member', grants: [] });
});
afterAll(() => server.stop());

async function keys(): Promise<unknown> {
  return (await rest('GET', '/api/access-keys')).json;
}

function key(accessKeyId: string, user: string): unknown {
  return { accessKeyId, user, createdAt: expect.any(String) };
}

describe('key add', () => {
  it('makes a pair for oneself and prints it in two lines', async () => {
    const { code, stdout, stderr } = await cli(['key', 'add']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, id = ''] =
      /^accessKeyId ([A-Z2-7]{20})\nsecretAccessKey [\w+/]{40}\n$/.exec(stdout) ?? [];
    expect(await keys()).toContainEqual(key(id, 'admin'));
  });

  it('makes one for another user with --for, and prints JSON', async () => {
    const { code, stdout, stderr } = await cli(['key', 'add', '--for', 'ada', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const pair: { accessKeyId: string } = JSON.parse(stdout);
    expect(pair).toEqual({
      accessKeyId: expect.any(String),
      secretAccessKey: expect.stringMatching(/^\S{40}$/),
      user: 'ada',
    });
    expect(await keys()).toContainEqual(key(pair.accessKeyId, 'ada'));
  });

  it('takes an id, and a secret from standard input', async () => {
    const args = ['key', 'add', '--id', '-uploader', '--secret-stdin'];
    expect(await cli(args, { stdin: 'top+secret/=\r\n' })).toEqual({
      code: 0,
      stdout: 'accessKeyId -uploader\nsecretAccessKey top+secret/=\n',
      stderr: '',
    });
    expect(await keys()).toContainEqual(key('-uploader', 'admin'));
  });

  it('refuses an id that is taken, whosever it is', async () => {
    expect((await cli(['key', 'add', '--id', 'taken'])).code).toBe(0);
    expect(await cli(['key', 'add', '--id', 'taken'], { env: asAda })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: There is an access key taken already: choose another id.\n',
    });
  });

  it.each([
    ['a bad id', ['--id', 'a/b'], /^keystow: accessKeyId: has 3 to 128 letters[^\n]+\n$/],
    ['a bad secret', ['--secret-stdin'], /^keystow: secretAccessKey: has 8 to 128[^\n]+\n$/],
    ['an unknown user', ['--for', 'nobody'], /^keystow: There is no user nobody\.\n$/],
  ])('refuses %s', async (_, args, message) => {
    const before = await keys();
    const { code, stdout, stderr } = await cli(['key', 'add', ...args], { stdin: 'two words' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(await keys()).toEqual(before);
  });

  it.each([
    [['--secret', 'topsecret']],
    [['--secret=topsecret']],
    [['--secret-stdin=topsecret']],
    [['--id', '']],
    [['--for', '']],
  ])('refuses %j as wrong usage, and repeats no secret', async (args) => {
    const before = await keys();
    const { code, stdout, stderr } = await cli(['key', 'add', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^keystow: /);
    expect(stderr).not.toContain('topsecret');
    expect(await keys()).toEqual(before);
  });

  it('refuses more on standard input than a secret can be', async () => {
    const args = ['key', 'add', '--secret-stdin'];
    expect(await cli(args, { stdin: 'x'.repeat(4_097) })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'keystow: standard input must hold the secret and nothing else.\n',
    });
  });

  it('lets a member make its own only', async () => {
    const own = await cli(['key', 'add', '--json'], { env: asAda });
    expect(JSON.parse(own.stdout)).toMatchObject({ user: 'ada' });
    expect(await cli(['key', 'add', '--for', 'admin'], { env: asAda })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: Only an admin makes access keys for other users.\n',
    });
  });

  it('prints nothing of an answer that is no pair', async () => {
    const fake = await fakeServer((_, response) => {
      response.writeHead(201).end('{"accessKeyId":"abc","user":"ada"}');
    });
    try {
      const { code, stdout, stderr } = await cliFor(fake.url, 'x')(['key', 'add']);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^keystow: [^\n]+is --url a Keystow server\?\n$/);
    } finally {
      await fake.close();
    }
  });
});

describe('key list', () => {
  beforeAll(async () => {
    await rest('POST', '/api/access-keys', { accessKeyId: 'listed-key' });
    await rest('POST', '/api/access-keys', { user: 'ada', accessKeyId: 'adas-key' });
  });

  it('prints a table', async () => {
    const { code, stdout, stderr } = await cli(['key', 'list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^ACCESS KEY {2,}USER {2,}CREATED$/);
    const row = lines.find((line) => line.startsWith('listed-key '));
    expect(row?.slice(lines[0]?.indexOf('USER'))).toMatch(/^admin {2}\d{4}-\S+Z$/);
    expect(row?.slice(lines[0]?.indexOf('CREATED'))).toMatch(/^\d{4}-\S+Z$/);
  });

  it('prints JSON', async () => {
    const { code, stdout } = await cli(['key', 'list', '--json']);
    expect(JSON.parse(stdout)).toEqual(await keys());
    expect(stdout).not.toContain('secret');
    expect(code).toBe(0);
  });

  it('shows a member its own', async () => {
    const { stdout } = await cli(['key', 'list'], { env: asAda });
    expect(stdout).toMatch(/^adas-key +ada /m);
    expect(stdout).not.toContain('listed-key');
  });
});

describe('key remove', () => {
  it('removes, and fails for an id that is absent', async () => {
    await rest('POST', '/api/access-keys', { accessKeyId: '-to-remove' });
    const args = ['key', 'remove', '--', '-to-remove'];
    expect(await cli(args)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await keys()).not.toContainEqual(key('-to-remove', 'admin'));
    expect(await cli(args)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: There is no access key -to-remove.\n',
    });
  });

  it('fails for an id that none could have', async () => {
    const { code, stderr } = await cli(['key', 'remove', 'a/b %41?\u001b']);
    expect(stderr).toBe('keystow: There is no access key a/b %41?\\u001b.\n');
    expect(code).toBe(1);
  });

  it('wants an id', async () => {
    for (const args of [[], ['']]) {
      const { code, stderr } = await cli(['key', 'remove', ...args]);
      expect(stderr).toMatch(/^keystow: /);
      expect(code).toBe(2);
    }
  });

  it("lets a member remove its own and nobody else's", async () => {
    await rest('POST', '/api/access-keys', { accessKeyId: 'of-admin' });
    await rest('POST', '/api/access-keys', { accessKeyId: 'of-ada', user: 'ada' });
    expect((await cli(['key', 'remove', 'of-ada'], { env: asAda })).code).toBe(0);
    expect(await cli(['key', 'remove', 'of-admin'], { env: asAda })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: The access key of-admin belongs to another user.\n',
    });
    expect(await keys()).toContainEqual(key('of-admin', 'admin'));
    expect(await keys()).not.toContainEqual(key('of-ada', 'ada'));
  });
});
