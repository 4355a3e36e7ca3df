import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { some } from '../support/long-runs.ts';
import { runCli } from './run-cli.ts';

const clientCommands = [
  'get',
  'put',
  'list',
  'delete',
  'import',
  'export',
  'user add',
  'user list',
  'user remove',
  'key add',
  'key list',
  'key remove',
  'bucket add',
  'bucket list',
  'bucket remove',
  'upload',
  'sign',
];

describe('help', () => {
  it('lists the commands and the exit codes', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const topLevel = clientCommands.map((command) => command.split(' ')[0]);
    for (const name of ['serve', ...topLevel]) {
      expect(stdout).toMatch(new RegExp(`^  ${name} .*\\w`, 'm'));
    }
    expect(stdout).toContain(
      'Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server',
    );
  });

  it.each(some(clientCommands, 5))(
    'of %s has examples of it, defaults and variables',
    async (name) => {
      const { code, stdout } = await runCli([...name.split(' '), '--help']);
      expect(code).toBe(0);
      const examples = stdout.slice(stdout.indexOf('Example'));
      expect(examples).toContain(`keystow ${name}`);
      for (const variable of ['URL', 'USER', 'PASSWORD', 'CA', 'INSECURE']) {
        expect(stdout).toContain(`KEYSTOW_${variable}`);
      }
      expect(stdout).toContain('"https://localhost:6375"');
      expect(stdout).toContain('Exit codes:');
    },
  );

  it('never shows a password from the environment', async () => {
    const env = { KEYSTOW_PASSWORD: 'topsecret', KEYSTOW_NEW_PASSWORD: 'topsecret' };
    const { stdout } = await runCli(['user', 'add', '--help'], { env });
    expect(stdout).not.toContain('topsecret');
  });
});

describe('wrong usage', () => {
  it.each(
    some(
      [
        [[]],
        [['user']],
        [['key']],
        [['bucket', 'frobnicate']],
        [['frobnicate']],
        [['get']],
        [['get', 'a', 'b']],
        [['get', 'a', '--frobnicate']],
        [['list', '--limit']],
        [['import', '--concurrency', '257']],
        [['import', '--on-conflict', 'merge']],
      ],
      4,
    ),
  )('%j exits with 2 and says so on stderr only', async (args) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^(keystow: |Usage: keystow)/);
  });
});

it('--version is the one of the package', async () => {
  const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('an unexpected error', () => {
  const env = { KEYSTOW_URL: 'http://127.0.0.1:1', KEYSTOW_PASSWORD: 'x' };

  it('is one line', async () => {
    const { stderr } = await runCli(['list'], { env });
    expect(stderr).toMatch(/^keystow: [^\n]+\n$/);
  });

  it('has its stack and its cause with KEYSTOW_DEBUG=1', async () => {
    const { code, stderr } = await runCli(['list'], { env: { ...env, KEYSTOW_DEBUG: '1' } });
    expect(stderr).toMatch(/\n +at /);
    expect(stderr).toContain('ECONNREFUSED');
    expect(code).toBe(3);
  });
});
