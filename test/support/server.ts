import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** The built server as its users start it: a process of its own, on a free port. */

export const binary = resolve('dist/server/cli/keystow.js');
export const PASSWORD = 'correct horse';

export interface TestServer {
  /** Base of the first listener that speaks plain HTTP. */
  readonly url: string;
  /** Base of the TLS listener; empty unless `TLS` was set to `on`. */
  readonly tlsUrl: string;
  readonly password: string;
  readonly dataDir: string;
  /** The working folder: `certs` is made here. */
  readonly folder: string;
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

export interface TestServerOptions {
  readonly env?: Record<string, string>;
  /** A folder of an earlier server, to start on its data again. */
  readonly folder?: string;
  /** What runs instead of `node`, such as strace and its arguments before it. */
  readonly command?: readonly string[];
  /** A script to run instead of the server's own, with the same arguments. */
  readonly script?: string;
  /** Flags behind `serve`. */
  readonly args?: readonly string[];
}

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = options.folder ?? (await makeFolder());
  const dataDir = join(folder, 'data');
  const [command = '', ...args] = [
    ...(options.command ?? []),
    process.execPath,
    options.script ?? binary,
    'serve',
    ...(options.args ?? []),
  ];
  const child = spawn(command, args, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(process.env['NODE_V8_COVERAGE']
        ? { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }
        : {}),
      TLS: 'off',
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      ADMIN_PASSWORD: PASSWORD,
      // Quick: what takes long on purpose is tested with the default.
      BCRYPT_COST: '4',
      ...options.env,
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
    url: urls.find((url) => url.startsWith('http:')) ?? '',
    tlsUrl: urls.find((url) => url.startsWith('https:')) ?? '',
    password: PASSWORD,
    dataDir,
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

export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'keystow-test-'));
}

/** Runs `keystow serve` where it is expected to refuse: its exit code and what it said. */
export async function startRefused(
  env: Record<string, string>,
  args: readonly string[] = [],
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  const child = spawn(process.execPath, [binary, 'serve', ...args], {
    env: { PATH: process.env['PATH'] ?? '', TLS: 'off', HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    // It started after all: the test shall fail on the code, not hang.
    if (text.includes('listening on')) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, stderr, stdout };
}
