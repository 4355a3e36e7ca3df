import { readdir, readFile } from 'node:fs/promises';

// The unit of /proc's times that every architecture of Node.js on Linux has.
const TICKS_PER_SECOND = 100;

interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Its own and that of its children that have ended. */
  readonly seconds: number;
}

/**
 * CPU seconds that these processes and all below them have used so far; undefined where there is no
 * `/proc`.
 */
export async function cpuSeconds(pids: readonly number[]): Promise<number | undefined> {
  const tree = await readTree(pids);
  return tree?.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** These processes and all below them; undefined where there is no `/proc`. */
export async function processTree(pids: readonly number[]): Promise<number[] | undefined> {
  return (await readTree(pids))?.map(({ pid }) => pid);
}

async function readTree(pids: readonly number[]): Promise<ProcessTimes[] | undefined> {
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readTimes));
  const all = found.filter((times) => times !== undefined);
  if (all.length === 0) return undefined;
  const wanted = new Set(pids);
  // Parents come before their children as long as numbers grow, but they begin anew at the end.
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  return all.filter(({ pid }) => wanted.has(pid));
}

async function readTimes(pid: string): Promise<ProcessTimes | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The name, in parentheses, may hold anything: what is counted comes behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(pid), parent: Number(fields[1]), seconds: ticks / TICKS_PER_SECOND };
}
