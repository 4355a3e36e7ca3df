import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { binary } from '../support/server-process.ts';

/** The built command line as its users run it: a process of its own, without a terminal. */

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  /** Default: a folder without `certs`. */
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
}

export function spawnCli(
  args: readonly string[],
  { env = {}, cwd = tmpdir() }: CliOptions = {},
): ChildProcessWithoutNullStreams {
  const coverage = process.env['NODE_V8_COVERAGE'];
  return spawn(process.execPath, [binary, ...args], {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage }),
      ...env,
    },
  });
}

export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const child = spawnCli(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that ends without reading its input closes the pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin);
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}

/** Binds `runCli` to a server and its admin. */
export function cliFor(
  url: string,
  password: string,
): (args: readonly string[], options?: CliOptions) => Promise<CliResult> {
  return (args, options = {}) =>
    runCli(args, {
      ...options,
      env: { KEYSTOW_URL: url, KEYSTOW_PASSWORD: password, ...options.env },
    });
}

/** A server that misbehaves as the test needs it, for what a real one does not do on demand. */
export async function fakeServer(
  listener: RequestListener,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
