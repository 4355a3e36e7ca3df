import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { environmentFor, PASSWORD } from './environment.ts';
import { makeFolder } from './make-folder.ts';
import { basesOf, type TestServer, type TestServerOptions } from './server.ts';

/** The built server as its users start it: a process of its own, on a free port. */

export const binary = resolve('dist/server/cli/keystow.js');

export interface ServerProcess extends TestServer {
  readonly child: ChildProcess;
  /** All lines on stdout so far. */
  readonly lines: readonly string[];
  /** All of stderr so far. */
  log(): string;
  /** SIGTERM, then the exit code; the temporary folder goes too unless `keep`. */
  stop(options?: { keep?: boolean }): Promise<number | null>;
  /** SIGKILL; keeps the folder. */
  kill(): Promise<void>;
}

export interface ServerProcessOptions extends TestServerOptions {
  /** What runs instead of `node`, such as strace and its arguments before it. */
  readonly command?: readonly string[];
  /** A script to run instead of the server's own, with the same arguments. */
  readonly script?: string;
  /** Flags behind `serve`. */
  readonly args?: readonly string[];
}

/** The working folder is `folder`. */
export async function startProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const folder = options.folder ?? (await makeFolder());
  const [command = '', ...args] = [
    ...(options.command ?? []),
    process.execPath,
    options.script ?? binary,
    'serve',
    ...(options.args ?? []),
  ];
  const env = environmentFor(folder, options.env);
  const child = spawn(command, args, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(process.env['NODE_V8_COVERAGE']
        ? { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }
        : {}),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const lines: string[] = [];
  const expected = options.env?.['HTTP_PORT'] === undefined ? 1 : 2;
  const exited = once(child, 'exit');
  const ready = new Promise<string[]>((done) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const urls = lines.flatMap((said) => /listening on (\S+)$/.exec(said)?.[1] ?? []);
      if (urls.length === expected) done(urls);
    });
  });
  const urls = await Promise.race([
    ready,
    exited.then(([code]) => {
      throw new Error(`The server ended with ${code}: ${stderr}`);
    }),
  ]);

  return {
    ...basesOf(urls),
    password: PASSWORD,
    dataDir: env.DATA_DIR,
    folder,
    child,
    lines,
    log: () => stderr,
    async stop({ keep = false } = {}) {
      child.kill('SIGTERM');
      const [code] = await exited;
      if (!keep) await rm(folder, { recursive: true, force: true });
      return typeof code === 'number' ? code : null;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
