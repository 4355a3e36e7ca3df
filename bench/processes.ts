import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 10;

const children = new Set<ChildProcess>();
let ending = false;

/** A server that the bench started and that has answered once. */
export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  /** From its start to its first good answer, in milliseconds. */
  readonly readyMs: number;
  /** Throws when the process has ended, with the end of what it printed. */
  checkAlive(): Promise<void>;
  /** Ends the process: SIGTERM, and SIGKILL after 5 s. */
  stop(): Promise<void>;
  /** Ends the process with SIGKILL. */
  kill(): Promise<void>;
}

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory and place of its output; it must exist. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Answers 2xx once the server is ready. Without it the process counts as ready at once. */
  readonly readyUrl?: string;
}

/** Starts a server and waits until it answers; throws after 30 s, or when it ends before. */
export async function startServer(server: ServerCommand): Promise<ServerProcess> {
  const outputPath = join(server.folder, `${server.name.replaceAll(/\W/g, '-')}.log`);
  const output = await open(outputPath, 'a');
  const started = performance.now();
  const child = spawn(server.command, server.args, {
    cwd: server.folder,
    // Settings of the caller's shell must not reach Keystow or etcd.
    env: { PATH: process.env['PATH'] ?? '', ...server.env },
    stdio: ['ignore', output.fd, output.fd],
  });
  await output.close();
  const { pid } = track(child);
  if (pid === undefined) throw new Error(`${server.name} could not be started: ${server.command}.`);

  const running = {
    name: server.name,
    pid,
    checkAlive: async () => {
      if (!hasEnded(child)) return;
      const tail = (await readFile(outputPath, 'utf8')).slice(-2_000);
      const how = child.signalCode ?? `exit code ${child.exitCode}`;
      throw new Error(`${server.name} ended by itself with ${how}:\n${tail}`);
    },
    stop: () => end(child),
    kill: () => end(child, 'SIGKILL'),
  };
  if (server.readyUrl !== undefined) await waitUntilReady(running, server.readyUrl);
  return { ...running, readyMs: performance.now() - started };
}

/** Has a child process ended with the others, should it still run then. */
export function track(child: ChildProcess): ChildProcess {
  children.add(child);
  if (ending) child.kill('SIGKILL');
  child.once('exit', () => children.delete(child));
  child.once('error', () => children.delete(child));
  return child;
}

/**
 * Runs `main` with a temporary folder. Whatever happens, Ctrl-C included, every process is ended
 * and the folder is removed. Exit code 1 and the message when `main` throws.
 */
export async function runInTemporaryFolder(main: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'keystow-bench-'));
  // PostgreSQL, which does not run as root, has to get through to its own.
  await chmod(folder, 0o711);
  const cleanUp = async () => {
    ending = true;
    await Promise.all([...children].map((child) => end(child)));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(128 + number)));
  }
  try {
    await main(folder);
  } catch (error) {
    // After a signal everything fails, which is no news.
    if (!ending) console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    await cleanUp();
  }
}

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No free port was found.');
  return address.port;
}

/** The path of a program on PATH, or undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function waitUntilReady(
  server: Pick<ServerProcess, 'name' | 'checkAlive'>,
  url: string,
): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    await server.checkAlive();
    if (await answersWell(url)) return;
    await delay(POLL_MS);
  }
  throw new Error(`${server.name} did not answer ${url} within ${READY_TIMEOUT_MS / 1_000} s.`);
}

async function answersWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
