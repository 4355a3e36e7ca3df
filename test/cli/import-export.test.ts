import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../support/make-folder.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { cliFor, spawnCli } from './run-cli.ts';

let server: TestServer;
let rest: Rest;
let cli: ReturnType<typeof cliFor>;
let folder: string;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  cli = cliFor(server.url, server.password);
});
afterAll(() => server.stop());
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => rm(folder, { recursive: true }));

/** Texts that a client which parses and writes JSON would change. */
const documents: Record<string, string> = {
  'exact/numbers': '{"a":1.0,"b":9007199254740993,"c":1e400,"d":-0,"e":0.10}',
  'exact/proto': '{"__proto__":{"x":1},"constructor":null}',
  'exact/order': '{"z":1,"2":2,"1":3}',
  'exact/doubled': '{"a":1,"a":2}',
  'exact/escapes': '{"\\u0061":"\\u00e9\\/\\ud800é😀"}',
  'exact/spaces': '{ "a" : [ 1 ,\t2 ] }',
  'exact/brackets': '["{\\"value\\":1}","]}",",\\\\"]',
  'exact/empty': '[]',
  'exact/ключ 😀/\n"\\%2F?#': '{"value":{"key":"value"}}',
  'exact/..': '{}',
};

describe('an export that is imported elsewhere', () => {
  it('is the same store, byte for byte', async () => {
    for (const [key, text] of Object.entries(documents)) {
      expect((await rest('POST', `/data/${encodeURIComponent(key)}`, text)).status).toBe(201);
    }
    const file = join(folder, 'all.ndjson');
    expect(await cli(['export', file, '--prefix', 'exact/'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await readdir(folder)).toEqual(['all.ndjson']);

    const other = await startServer();
    try {
      const otherCli = cliFor(other.url, other.password);
      expect((await otherCli(['import', file])).code).toBe(0);
      const otherRest = createRest(other.url);
      for (const [key, text] of Object.entries(documents)) {
        expect((await otherRest('GET', `/data/${encodeURIComponent(key)}`)).text).toBe(text);
      }
      expect((await otherRest('GET', '/data')).json).toHaveLength(Object.keys(documents).length);
    } finally {
      await other.stop();
    }
  });

  it('goes through pipes as well as through files', async () => {
    await rest('POST', '/data/pipe%2Fa', '{"n":1.0}');
    const { code, stdout } = await cli(['export', '-', '--prefix', 'pipe/']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\{"key":"pipe\/a","etag":"\\"\d+\\"","value":\{"n":1\.0\}\}\n$/);
    const stdin = stdout.replace('pipe/a', 'pipe/b');
    expect((await cli(['import'], { stdin })).code).toBe(0);
    expect((await rest('GET', '/data/pipe/b')).text).toBe('{"n":1.0}');
  });
});

describe('import', () => {
  it('reports broken lines and refused documents by number, and stores the rest', async () => {
    const lines = [
      '{"key":"broken/1","value":{}}',
      'nonsense',
      '',
      '{"key":"broken/4","value":"a scalar"}',
      '{"key":"broken/5"}',
      '{"value":{}}',
      '{"key":5,"value":{}}',
      '{"key":"","value":{}}',
      '["key"]',
      `{"key":"broken/10","value":{"a":"${'x'.repeat(1_048_576)}"}}`,
      `{"key":"broken/11","value":{"a":"${'x'.repeat(2_097_152)}"}}`,
      '{"key":"\\ud800","value":{}}',
      '{"key":"nul\\u0000","value":{}}',
      '{"key":"broken/14","value":[14]}\r',
    ];
    const notUtf8 = Buffer.from('{"key":"broken/15","value":["\xff"]}\n', 'latin1');
    const stdin = Buffer.concat([
      Buffer.from(`${lines.join('\n')}\n`),
      notUtf8,
      Buffer.from('{"key":"broken/16","value":{}}\n{"key":"cut","val'),
    ]);
    const { code, stdout, stderr } = await cli(['import'], { stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const reported = [...stderr.matchAll(/^keystow: line (\d+): .+\.$/gm)]
      .map(([, line]) => Number(line))
      .sort((a, b) => a - b);
    expect(reported).toEqual([2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 17]);
    expect(stderr).toMatch(/keystow: 13 of 16 lines were not imported\.\n$/);
    expect((await rest('GET', '/data?prefix=broken/')).json).toEqual([
      'broken/1',
      'broken/14',
      'broken/16',
    ]);
  });

  it('reports twenty lines and counts the others', async () => {
    const { code, stderr } = await cli(['import'], { stdin: 'nonsense\n'.repeat(30) });
    expect(stderr.match(/^keystow: line \d+: /gm)).toHaveLength(20);
    expect(stderr).toMatch(/keystow: 30 of 30 lines were not imported\.\n$/);
    expect(code).toBe(1);
  });

  it('replaces, skips or refuses keys that exist, as told', async () => {
    const old = '{"key":"rule/old","value":{"n":';
    const both = (n: number) => `${old}${n}}}\n{"key":"rule/new${n}","value":{"n":${n}}}\n`;
    await rest('POST', '/data/rule/old', '{"n":0}');

    expect((await cli(['import'], { stdin: both(1) })).code).toBe(0);
    expect((await rest('GET', '/data/rule/old')).text).toBe('{"n":1}');

    const skip = await cli(['import', '--on-conflict', 'skip'], { stdin: both(2) });
    expect(skip).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await rest('GET', '/data/rule/old')).text).toBe('{"n":1}');

    const fail = await cli(['import', '--on-conflict', 'fail'], { stdin: both(3) });
    expect(fail.stderr).toBe(
      'keystow: line 1: rule/old already exists.\nkeystow: 1 of 2 lines were not imported.\n',
    );
    expect(fail.code).toBe(1);
    expect((await rest('GET', '/data/rule/old')).text).toBe('{"n":1}');
    for (const n of [1, 2, 3]) {
      expect((await rest('GET', `/data/rule/new${n}`)).text).toBe(`{"n":${n}}`);
    }
  });

  it('lets the last line of a key win', async () => {
    const stdin = Array.from(
      { length: 300 },
      (_, n) => `{"key":"same/${n % 3}","value":{"n":${n}}}\n`,
    ).join('');
    expect((await cli(['import', '--concurrency', '64'], { stdin })).code).toBe(0);
    for (const n of [297, 298, 299]) {
      expect((await rest('GET', `/data/same/${n % 3}`)).text).toBe(`{"n":${n}}`);
    }
  });

  it('stops at the first refusal where all would be refused', async () => {
    const stdin = '{"key":"never","value":{}}\n'.repeat(100);
    const { code, stderr } = await cliFor(server.url, 'wrong')(['import'], { stdin });
    expect(stderr).toMatch(/^keystow: Wrong user name or password\.\n$/);
    expect(code).toBe(1);
  });

  it('goes on where a member may not write', async () => {
    const env = { KEYSTOW_NEW_PASSWORD: 'x' };
    await cli(['user', 'add', 'importer', '--grant', 'write:data/mine/'], { env });
    const stdin = '{"key":"yours/1","value":{}}\n{"key":"mine/1","value":{}}\n';
    const member = { KEYSTOW_USER: 'importer', KEYSTOW_PASSWORD: 'x' };
    const { code, stderr } = await cli(['import'], { stdin, env: member });
    expect(stderr).toMatch(/^keystow: line 1: .+\nkeystow: 1 of 2 lines were not imported\.\n$/);
    expect(code).toBe(1);
    expect((await rest('GET', '/data/mine/1')).status).toBe(200);
  });

  it('names a file that it cannot read', async () => {
    const { code, stderr } = await cli(['import', join(folder, 'none')]);
    expect(stderr).toMatch(/^keystow: cannot read .+none: no such file or directory\.\n$/);
    expect(code).toBe(1);
  });
});

describe('export', () => {
  beforeAll(async () => {
    const stdin = Array.from(
      { length: 3_000 },
      (_, n) => `{"key":"e/${n}","value":{"text":"${'x'.repeat(100)}"}}\n`,
    ).join('');
    expect((await cli(['import'], { stdin })).code).toBe(0);
  });

  it('replaces a file, through a link too', async () => {
    const file = join(folder, 'old');
    await writeFile(file, 'old');
    await symlink(file, join(folder, 'link'));
    expect((await cli(['export', join(folder, 'link'), '--prefix', 'e/'])).code).toBe(0);
    const lines = (await readFile(file, 'utf8')).split('\n');
    expect(lines).toHaveLength(3_001);
    expect((await readdir(folder)).sort()).toEqual(['link', 'old']);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const env = { KEYSTOW_URL: server.url, KEYSTOW_PASSWORD: server.password };
    const child = spawnCli(['export'], { env });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('refuses to write where no file can be', async () => {
    const { code, stderr } = await cli(['export', folder]);
    expect(stderr).toContain('is not a file; leave it out for standard output.');
    expect(code).toBe(1);
    const nowhere = await cli(['export', join(folder, 'no', 'file')]);
    expect(nowhere.stderr).toMatch(/^keystow: cannot write .+: no such file or directory\.\n$/);
    expect(nowhere.code).toBe(1);
  });

  it('reads a data directory that no server has open, and no other', async () => {
    const own = await startServer();
    try {
      await createRest(own.url)('POST', '/data/offline%2Fa', '{"n": 1.0,\n"m":2}');
      await createRest(own.url)('POST', '/data/other', '{}');
      const file = join(folder, 'offline.ndjson');
      const args = ['export', file, '--data-dir', own.dataDir, '--prefix', 'offline/'];
      const busy = await cli(args);
      expect(busy.stderr).toMatch(/^keystow: [^\n]+\n$/);
      expect(busy.code).toBe(1);
      expect(await readdir(folder)).toEqual([]);

      await own.stop({ keep: true });
      expect((await cli(args)).code).toBe(0);
      expect(await readFile(file, 'utf8')).toMatch(
        /^\{"key":"offline\/a","etag":"\\"\d+\\"","value":\{"n": 1\.0, "m":2\}\}\n$/,
      );
    } finally {
      await rm(own.folder, { recursive: true });
    }
  });
});
