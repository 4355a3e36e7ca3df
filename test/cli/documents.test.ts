import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { some } from '../support/long-runs.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { cliFor, spawnCli } from './run-cli.ts';

let server: TestServer;
let rest: Rest;
let cli: ReturnType<typeof cliFor>;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  cli = cliFor(server.url, server.password);
});
afterAll(() => server.stop());

describe('get', () => {
  it('prints the stored text and nothing else', async () => {
    const text = '{ "b": 1.0,\n "a": 9007199254740993, "__proto__": ["\\u0041é😀"] }';
    await rest('POST', '/data/exact', text);
    expect(await cli(['get', 'exact'])).toEqual({ code: 0, stdout: text, stderr: '' });
  });

  it('prints the sentence of the server for a key that is absent, and exits with 1', async () => {
    expect(await cli(['get', 'absent'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: absent not found.\n',
    });
  });

  it.each(some(['50%?#&+', 'a/b c', '..', 'ключ', '-dash', 'line\nbreak'], 2))(
    'finds the key %j',
    async (key) => {
      await cli(['put', '--', key], { stdin: '{"found":true}' });
      expect((await cli(['get', '--', key])).stdout).toBe('{"found":true}');
      expect((await rest('GET', `/data?prefix=${encodeURIComponent(key)}`)).json).toContain(key);
    },
  );

  it('keeps the terminal safe from control characters in an answer', async () => {
    const { stderr } = await cli(['get', '\u001b[2Jx\ny']);
    expect(stderr).toBe('keystow: \\u001b[2Jx\\u000ay not found.\n');
  });

  it('refuses an empty key as wrong usage', async () => {
    const { code, stderr } = await cli(['get', '']);
    expect(stderr).toBe('keystow: the key must not be empty.\n');
    expect(code).toBe(2);
  });
});

describe('put', () => {
  it('creates from standard input, then replaces from a file', async () => {
    const file = join(server.folder, 'new.json');
    await writeFile(file, '{"n":2.50}');
    expect(await cli(['put', 'p1', '-'], { stdin: '{"n":1}' })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect((await rest('GET', '/data/p1')).text).toBe('{"n":1}');
    expect((await cli(['put', 'p1', file])).code).toBe(0);
    expect((await rest('GET', '/data/p1')).text).toBe('{"n":2.50}');
  });

  it('with --create only creates', async () => {
    expect((await cli(['put', 'p2', '--create'], { stdin: '[1]' })).code).toBe(0);
    expect(await cli(['put', 'p2', '--create'], { stdin: '[2]' })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: p2 already exists.\n',
    });
    expect((await rest('GET', '/data/p2')).text).toBe('[1]');
  });

  it('with --if-match only replaces what has that ETag, quoted or not', async () => {
    const created = await rest('POST', '/data/p3', '[1]');
    const etag = created.headers.get('etag') ?? '';
    const bare = etag.replaceAll('"', '');
    expect((await cli(['put', 'p3', '--if-match', bare], { stdin: '[2]' })).code).toBe(0);
    expect((await rest('GET', '/data/p3')).text).toBe('[2]');
    const stale = await cli(['put', 'p3', '--if-match', etag], { stdin: '[3]' });
    expect(stale.code).toBe(1);
    expect(stale.stderr).toMatch(/^keystow: .+\n$/);
    expect((await rest('GET', '/data/p3')).text).toBe('[2]');
    expect((await cli(['put', 'p-none', '--if-match', etag], { stdin: '[3]' })).code).toBe(1);
    expect((await rest('GET', '/data/p-none')).status).toBe(404);
  });

  it('refuses --create together with --if-match as wrong usage', async () => {
    const { code, stderr } = await cli(['put', 'p4', '--create', '--if-match', '1'], {
      stdin: '[]',
    });
    expect(code).toBe(2);
    expect(stderr).toContain('cannot be used with');
  });

  it('says what is wrong with a document, and stores nothing', async () => {
    for (const stdin of ['nonsense', '"scalar"', '']) {
      const { code, stderr } = await cli(['put', 'p5'], { stdin });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^keystow: .+\n$/);
    }
    expect((await rest('GET', '/data/p5')).status).toBe(404);
  });

  it('names a file that it cannot read', async () => {
    expect(await cli(['put', 'p6', '/nowhere/x.json'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: cannot read /nowhere/x.json: no such file or directory.\n',
    });
  });
});

describe('delete', () => {
  it('deletes, and fails for a key that is absent', async () => {
    await rest('POST', '/data/d1', '{}');
    expect(await cli(['delete', 'd1'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await rest('GET', '/data/d1')).status).toBe(404);
    expect((await cli(['delete', 'd1'])).stderr).toBe('keystow: d1 not found.\n');
  });

  it('with --if-match deletes only what has that ETag', async () => {
    const etag = (await rest('POST', '/data/d2', '{}')).headers.get('etag') ?? '';
    expect((await cli(['delete', 'd2', '--if-match', '0'])).code).toBe(1);
    expect((await rest('GET', '/data/d2')).status).toBe(200);
    expect((await cli(['delete', 'd2', '--if-match', etag])).code).toBe(0);
    expect((await rest('GET', '/data/d2')).status).toBe(404);
  });
});

describe('list', () => {
  // More than two pages of a thousand keys.
  const keys = Array.from({ length: 2_345 }, (_, n) => `l/${String(n).padStart(5, '0')}`);

  beforeAll(async () => {
    const stdin = keys.map((key) => `${JSON.stringify({ key, value: {} })}\n`).join('');
    expect((await cli(['import'], { stdin })).code).toBe(0);
    await rest('POST', '/data/m%0A%2B%26x', '{}');
  });

  it('prints all keys of a prefix, over several pages', async () => {
    const { code, stdout } = await cli(['list', '--prefix', 'l/']);
    expect(stdout.split('\n').slice(0, -1)).toEqual(keys);
    expect(code).toBe(0);
  });

  it('stops at --limit and begins after --after', async () => {
    const some = await cli(['list', '--prefix', 'l/', '--after', 'l/00009', '--limit', '1500']);
    expect(some.stdout.split('\n').slice(0, -1)).toEqual(keys.slice(10, 1_510));
    expect((await cli(['list', '--prefix', 'l/', '--limit', '1'])).stdout).toBe('l/00000\n');
    expect((await cli(['list', '--prefix', 'none/'])).stdout).toBe('');
  });

  it('ends keys with NUL where told, and leaves them as they are', async () => {
    const { stdout } = await cli(['list', '--prefix', 'm\n+&', '--null']);
    expect(stdout).toBe('m\n+&x\0');
  });

  it('ends quietly when its reader has seen enough', async () => {
    const child = spawnCli(['list', '--prefix', 'l/'], {
      env: { KEYSTOW_URL: server.url, KEYSTOW_PASSWORD: server.password },
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each(some(['0', '-1', '1.5', 'many'], 1))('refuses --limit %s', async (limit) => {
    const { code, stderr } = await cli(['list', `--limit=${limit}`]);
    expect(stderr).toContain('It must be a whole number, 1 or more.');
    expect(code).toBe(2);
  });
});
