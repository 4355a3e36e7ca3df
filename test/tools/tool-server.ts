import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { startProcess } from '../support/server-process.ts';
import { hashTree } from './file-tree.ts';
import { writeOddTree } from './odd-tree.ts';
import { runTool, type ToolOptions, type ToolRun, tryTool } from './run-tool.ts';
import { seededBytes } from './seeded-bytes.ts';

/** A server of its own for each tool, with plain HTTP and TLS, and a home for the tool. */

export const keys = {
  accessKeyId: 'AKIDEXAMPLE00TOOLS',
  // With what has to be escaped somewhere.
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

export const LARGE_BYTES = 200 * 1024 * 1024;

export interface ToolServer {
  readonly url: string;
  readonly tlsUrl: string;
  /** The certificate that the server made for itself. */
  readonly certificate: string;
  readonly home: string;
  /** Of the user `admin`. */
  readonly password: string;
  readonly log: () => string;
  readonly run: (args: readonly string[], options?: Partial<ToolOptions>) => Promise<string>;
  readonly try: (args: readonly string[], options?: Partial<ToolOptions>) => Promise<ToolRun>;
  /** A path below the home. */
  readonly path: (name: string) => string;
  /** Makes the tree there, and resolves with its hashes. */
  readonly writeTree: (
    name: string,
    takes?: (path: string) => boolean,
  ) => Promise<Record<string, string>>;
  /** Makes a file of LARGE_BYTES. */
  readonly writeLarge: (name: string) => Promise<string>;
  /** Makes a file with this content. */
  readonly write: (name: string, content: string) => Promise<void>;
  /** SHA-256 by path of what lies there now. */
  readonly readTree: (name: string) => Promise<Record<string, string>>;
  /** The most memory that the server has had since this was last asked, in MiB. */
  readonly peakMemory: () => Promise<number>;
  readonly stop: () => Promise<unknown>;
}

export async function startToolServer(
  tool: string,
  { env = {}, versionArgs = ['--version'] }: ToolServerOptions = {},
): Promise<ToolServer> {
  const server = await startProcess({
    env: {
      TLS: 'on',
      HTTP_PORT: '0',
      ACCESS_KEY_ID: keys.accessKeyId,
      SECRET_ACCESS_KEY: keys.secretAccessKey,
    },
  });
  const home = join(server.folder, 'home');
  const path = (name: string): string => join(home, name);
  await mkdir(home);
  const options = (own: Partial<ToolOptions> = {}): ToolOptions => ({
    home,
    ...own,
    env: { ...env, ...own.env },
  });
  try {
    console.log((await runTool(tool, versionArgs, options())).split('\n', 1)[0]);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    // As in the documents; tools treat addresses in digits in ways of their own.
    url: server.url.replace('127.0.0.1', 'localhost'),
    tlsUrl: server.tlsUrl.replace('127.0.0.1', 'localhost'),
    certificate: join(server.folder, 'certs/server.crt'),
    home,
    password: server.password,
    log: server.log,
    path,
    run: (args, own) => runTool(tool, args, options(own)),
    try: (args, own) => tryTool(tool, args, options(own)),
    async writeTree(name, takes) {
      await writeOddTree(path(name), takes);
      return hashTree(path(name));
    },
    async writeLarge(name) {
      await mkdir(dirname(path(name)), { recursive: true });
      await writeFile(path(name), seededBytes(name, LARGE_BYTES));
      return path(name);
    },
    async write(name, content) {
      await mkdir(dirname(path(name)), { recursive: true });
      await writeFile(path(name), content);
    },
    readTree: (name) => hashTree(path(name)),
    async peakMemory() {
      const proc = `/proc/${server.child.pid}`;
      const status = await readFile(`${proc}/status`, 'utf8');
      await writeFile(`${proc}/clear_refs`, '5');
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    },
    async stop() {
      await server.stop();
      // Whatever the tool made of it: nothing that the server itself calls an error.
      expect(server.log()).not.toMatch(/"level":[56]0/);
    },
  };
}

export interface ToolServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly versionArgs?: readonly string[];
}

/** That of a server that held a large file in memory would be larger. */
export async function expectModestMemory(server: ToolServer, name: string): Promise<void> {
  const peak = await server.peakMemory();
  console.log(
    `${name}: the server had ${Math.round(peak)} MiB at most while 200 MiB came and went`,
  );
  expect(peak).toBeLessThan(LARGE_BYTES / 1024 / 1024 + 100);
}
