import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Tools of Debian's packages, as people run them: from the package, not from what else may be in PATH. */

export interface ToolRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  /** Working folder and HOME: no configuration of the machine counts. */
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
}

/** Whatever its exit code is. */
export async function tryTool(
  name: string,
  args: readonly string[],
  { home, env = {}, input }: ToolOptions,
): Promise<ToolRun> {
  const child = spawn(`/usr/bin/${name}`, args, {
    cwd: home,
    env: { PATH: '/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8', NO_PROXY: '*', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A tool that does not read its input may end before it.
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: Number(code), stdout, stderr };
}

/** What it wrote to stdout. Rejects, with all that it wrote, where it did not end well. */
export async function runTool(
  name: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<string> {
  const { code, stdout, stderr } = await tryTool(name, args, options);
  if (code === 0) return stdout;
  throw new Error(`${name} ${args.join(' ')} ended with ${code}:\n${stderr}\n${stdout}`);
}
