import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { binary } from './server-process.ts';

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
