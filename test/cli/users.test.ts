import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { cliFor } from './run-cli.ts';

let server: TestServer;
let cli: ReturnType<typeof cliFor>;

beforeAll(async () => {
  server = await startServer();
  cli = cliFor(server.url, server.password);
});
afterAll(() => server.stop());

async function users(): Promise<unknown> {
  return (await createRest(server.url)('GET', '/api/users')).json;
}

async function statusFor(user: string, password: string): Promise<number> {
  return (await createRest(server.url, user, password)('GET', '/data?limit=1')).status;
}

describe('user add', () => {
  it('adds a member with grants and the password of KEYSTOW_NEW_PASSWORD', async () => {
    const grants = ['--grant', 'read:data/', '--grant', 'write:data/a:b/'];
    const env = { KEYSTOW_NEW_PASSWORD: 'first pässword' };
    expect(await cli(['user', 'add', 'ada', ...grants], { env })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await users()).toContainEqual({
      name: 'ada',
      role: 'member',
      grants: [
        { prefix: 'data/', access: 'read' },
        { prefix: 'data/a:b/', access: 'write' },
      ],
    });
    expect(await statusFor('ada', 'first pässword')).toBe(200);
  });

  it('refuses a name that exists, and with --update changes only what is given', async () => {
    const env = { KEYSTOW_NEW_PASSWORD: 'one' };
    await cli(['user', 'add', 'bob', '--grant', 'read:data/x'], { env });
    const again = await cli(['user', 'add', 'bob'], { env: { KEYSTOW_NEW_PASSWORD: 'two' } });
    expect(again.stderr).toBe('keystow: bob exists already; add --update to change the user.\n');
    expect(again.code).toBe(1);
    expect(await statusFor('bob', 'one')).toBe(200);

    expect((await cli(['user', 'add', 'bob', '--update', '--role', 'admin'])).code).toBe(0);
    const grants = [{ prefix: 'data/x', access: 'read' }];
    expect(await users()).toContainEqual({ name: 'bob', role: 'admin', grants });
    expect(await statusFor('bob', 'one')).toBe(200);

    const changed = ['user', 'add', 'bob', '--update', '--password-stdin'];
    expect((await cli(changed, { stdin: 'three\n' })).code).toBe(0);
    expect(await users()).toContainEqual({ name: 'bob', role: 'admin', grants });
    expect(await statusFor('bob', 'three')).toBe(200);

    const regranted = ['user', 'add', 'bob', '--update', '--grant', 'write:data/y'];
    expect((await cli(regranted)).code).toBe(0);
    expect(await users()).toContainEqual({
      name: 'bob',
      role: 'admin',
      grants: [{ prefix: 'data/y', access: 'write' }],
    });
  });

  it('reads the password from standard input, all of it but the last line end', async () => {
    const args = ['user', 'add', 'new/ user?', '--password-stdin'];
    expect((await cli(args, { stdin: ' spaced \r\n' })).code).toBe(0);
    expect(await statusFor('new/ user?', ' spaced ')).toBe(200);
  });

  it('makes a password with --generate and prints it alone', async () => {
    const { code, stdout, stderr } = await cli(['user', 'add', 'gen', '--generate']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[A-Za-z0-9_-]{24}\n$/);
    expect(await statusFor('gen', stdout.trim())).toBe(200);
  });

  it('needs a password for a new user, with --update too', async () => {
    for (const args of [
      ['user', 'add', 'nopw'],
      ['user', 'add', 'nopw', '--update'],
    ]) {
      const { code, stderr } = await cli(args);
      expect(stderr).toContain('use --generate, --password-stdin or the variable');
      expect(code).toBe(2);
    }
  });

  it.each([
    [['--grant', 'data/']],
    [['--grant', 'own:data/']],
    [['--role', 'root']],
    [['--generate', '--password-stdin']],
  ])('refuses %j as wrong usage', async (args) => {
    expect((await cli(['user', 'add', 'odd', ...args], { stdin: 'x' })).code).toBe(2);
    expect(JSON.stringify(await users())).not.toContain('odd');
  });

  it('prints no generated password when the server refuses', async () => {
    const { code, stdout, stderr } = await cli(['user', 'add', 'a:b', '--generate']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^keystow: .+\n$/);
  });
});

describe('user list', () => {
  beforeAll(async () => {
    const env = { KEYSTOW_NEW_PASSWORD: 'x' };
    const grants = ['--grant', 'read:data/\u001b[1m', '--grant', 'write:saves/'];
    await cli(['user', 'add', 'listed-user', ...grants], { env });
  });

  it('prints a table', async () => {
    const { code, stdout } = await cli(['user', 'list']);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^NAME {2,}ROLE {2,}GRANTS$/);
    const column = lines[0]?.indexOf('ROLE') ?? -1;
    const row = lines.find((line) => line.startsWith('listed-user '));
    expect(row?.slice(column)).toBe('member  read:data/\\u001b[1m write:saves/');
    expect(lines.find((line) => line.startsWith('admin '))?.slice(column)).toBe('admin');
    expect(code).toBe(0);
  });

  it('prints JSON', async () => {
    const { stdout } = await cli(['user', 'list', '--json']);
    expect(JSON.parse(stdout)).toEqual(await users());
  });

  it('is for admins', async () => {
    const env = { KEYSTOW_USER: 'listed-user', KEYSTOW_PASSWORD: 'x' };
    const { code, stderr } = await cli(['user', 'list'], { env });
    expect(stderr).toMatch(/^keystow: .+\n$/);
    expect(code).toBe(1);
  });
});

describe('user remove', () => {
  it('removes, and fails for a name that is absent', async () => {
    const name = 'to/remove %41';
    await cli(['user', 'add', name], { env: { KEYSTOW_NEW_PASSWORD: 'x' } });
    expect(await statusFor(name, 'x')).toBe(200);
    expect(await cli(['user', 'remove', name])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await statusFor(name, 'x')).toBe(401);
    expect((await cli(['user', 'remove', name])).code).toBe(1);
  });
});
