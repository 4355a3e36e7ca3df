import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { hasStrace } from './traced-server.ts';

/** Lets system calls of a running process fail, by strace: only those on some paths, and for a time. */

export interface DiskFault {
  /** Such as `fsync`, or several with commas between. */
  readonly call: string;
  /** Such as `EIO`. */
  readonly error: string;
  readonly paths: readonly string[];
}

const SCOPE = '/proc/sys/kernel/yama/ptrace_scope';

/** strace is there and may attach to processes that it has not started (ptrace(2), ptrace_scope). */
export const canAttach =
  hasStrace &&
  (process.getuid?.() === 0 || !existsSync(SCOPE) || readFileSync(SCOPE, 'utf8').trim() === '0');

/** Resolves once every thread of the process is under the fault; call what it resolves with to end it. */
export async function injectFault(
  pid: number,
  { call, error, paths }: DiskFault,
): Promise<() => Promise<void>> {
  const child = spawn(
    'strace',
    [
      ...['-f', '-p', String(pid), '-o', '/dev/null', '-e', 'signal=none'],
      ...['-e', `trace=${call}`, '-e', `inject=${call}:error=${error}`],
      ...paths.flatMap((path) => ['-P', path]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(child, 'exit');
  await attached(child);
  return async () => {
    // It detaches then; the process goes on.
    child.kill('SIGINT');
    await exited;
  };
}

function attached(child: ChildProcess): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (/ attached/.test(said)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`strace ended with ${code}: ${said}`)));
  });
}
