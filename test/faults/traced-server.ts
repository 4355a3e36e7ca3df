import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLongRun } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/** strace is there and may trace: some containers forbid it. It is slow, so .ci/run sees to it. */
export const hasStrace =
  isLongRun && spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']).status === 0;

export interface TracedServer extends ServerProcess {
  /** SIGTERM to the server, not to strace; then its exit code and the whole trace. */
  finish(): Promise<{ code: number | null; trace: string }>;
  /** Ends what may still run, and removes the folder. */
  discard(): Promise<void>;
}

const TRACED =
  'write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,fsync,fdatasync,sync_file_range,' +
  '?rename,?renameat,?renameat2';
/** More than any one write of these tests, so that strace shortens none. */
const MAX_STRING_BYTES = 1_048_576;

/** A server under strace. `inject` is strace's own expression, such as `fdatasync:error=EIO`. */
export async function startTraced(
  options: { script?: string; inject?: string; env?: Record<string, string> } = {},
): Promise<TracedServer> {
  const folder = await makeFolder();
  const file = join(folder, 'trace');
  const server = await startProcess({
    folder,
    env: { LOG_LEVEL: 'fatal', ...options.env },
    ...(options.script ? { script: options.script } : {}),
    command: [
      ...['strace', '-f', '-y', '-o', file, '-s', String(MAX_STRING_BYTES)],
      ...['--seccomp-bpf', '-e', 'signal=none', '-e', `trace=${TRACED}`],
      ...(options.inject ? ['-e', `inject=${options.inject}`] : []),
    ],
  });
  const exited = once(server.child, 'exit');
  const pid = ownerOf(server.dataDir);
  return {
    ...server,
    async finish() {
      process.kill(pid, 'SIGTERM');
      const [code] = await exited;
      return { code: typeof code === 'number' ? code : null, trace: readFileSync(file, 'latin1') };
    },
    async discard() {
      if (server.child.exitCode === null) {
        process.kill(pid, 'SIGKILL');
        await exited;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The process that has the data directory open: strace is only its parent. */
function ownerOf(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'owner'), 'utf8'), 10);
}
