import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program of another project that runs until it is ended, and no longer than the tests. */
export interface Daemon {
  /** All that it said so far. */
  log(): string;
  /** Rejects once it has ended by itself. */
  readonly ended: Promise<never>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function startDaemon(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Daemon {
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  let isStopping = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const closed = once(child, 'close').finally(() => process.off('exit', kill));
  const ended = closed.then(
    ([code, signal]): Promise<never> => {
      if (isStopping) return new Promise(() => {});
      throw new Error(`${command} ended with ${code ?? signal}: ${log}`);
    },
    (cause) => {
      throw new Error(`${command} cannot be run.`, { cause });
    },
  );
  ended.catch(() => {});
  return {
    log: () => log,
    ended,
    async stop(signal = 'SIGKILL') {
      isStopping = true;
      child.kill(signal);
      await closed.catch(() => {});
    },
  };
}
