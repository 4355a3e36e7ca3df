import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../support/make-folder.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** `keystow/client` as those get it who install the package. */

const run = promisify(execFile);

const PROGRAM = `
import { createClient, text } from 'keystow/client';

const [, , url = '', password = ''] = PROCESS.argv;
const client = createClient({ url, credentials: { username: 'admin', password } });
const { etag } = await client.documentsAs(text).create('packaged', '{"n":1.0}');
const number: number = Number(etag.slice(1, -1));
for await (const item of client.watch({ since: number - 1 })) {
  console.log(item.type === 'put' ? item.url : item.type);
  break;
}
client.close();
`;

let server: TestServer;
let folder: string;

beforeAll(async () => {
  [server, folder] = await Promise.all([startServer(), makeFolder()]);
  await mkdir(join(folder, 'node_modules'));
  await symlink(resolve('.'), join(folder, 'node_modules/keystow'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the package', () => {
  it('runs in a plain Node, without socket.io-client', async () => {
    const program = PROGRAM.replace('PROCESS', 'process').replace(': number', '');
    await writeFile(join(folder, 'program.js'), program);
    const args = [join(folder, 'program.js'), server.url, server.password];
    const { stdout } = await run(process.execPath, args, { cwd: folder, timeout: 50_000 });
    expect(stdout).toBe('/data/packaged\n');
  });

  it("has types that need a browser's or Node's own, and no others", async () => {
    const declared = 'declare const PROCESS: { argv: string[] };\n';
    await writeFile(join(folder, 'program.ts'), declared + PROGRAM);
    const options = '--noEmit --strict --target es2022 --module nodenext --types';
    const tsc = resolve('node_modules/typescript/bin/tsc');
    const args = [...options.split(' '), '', '--lib', 'es2022,dom,dom.asynciterable', 'program.ts'];
    const result = await run(process.execPath, [tsc, ...args], { cwd: folder }).catch(
      ({ stdout }: { stdout: string }) => ({ stdout }),
    );
    expect(result.stdout).toBe('');
  });

  it('imports nothing but its own files', async () => {
    const names = await readdir('dist/shared', { recursive: true });
    const scripts = names.filter((name) => name.endsWith('.js'));
    expect(scripts).toContain('client/index.js');
    for (const name of scripts) {
      const script = await readFile(join('dist/shared', name), 'utf8');
      for (const [, from] of script.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g)) {
        expect(from, name).toMatch(/^\.\.?\//);
      }
    }
  });
});
