import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const SAMPLE_MS = 20;
const SETTLE_POLL_MS = 250;
const SETTLE_POLLS = 12;
const SETTLED_MIB = 1;
const MOST_SETTLE_POLLS = 240;

/** Memory of a process, in MiB. */
export interface ProcessMemory {
  /** Everything resident: VmRSS. */
  readonly total: number;
  /** The part that is the process's own: RssAnon. The rest is files mapped from the page cache. */
  readonly own: number;
}

/** Resident memory of a process, or undefined where there is no `/proc` or no such process. */
export async function readMemory(pid: number): Promise<ProcessMemory | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return { total: field(status, 'VmRSS'), own: field(status, 'RssAnon') };
  } catch {
    return undefined;
  }
}

/** The most that was ever resident, in MiB; undefined where there is no `/proc` or no such process. */
export async function readPeak(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  return status === undefined ? undefined : field(status, 'VmHWM');
}

/**
 * Memory once RSS has stayed within 1 MiB for 3 s; throws when it still moves after a minute, or
 * where there is no `/proc`.
 */
export async function settledMemory(pid: number): Promise<ProcessMemory> {
  const recent: ProcessMemory[] = [];
  for (let poll = 0; poll < MOST_SETTLE_POLLS; poll += 1) {
    const memory = await readMemory(pid);
    if (memory === undefined) throw new Error('The memory of Keystow cannot be read from /proc.');
    recent.push(memory);
    if (recent.length > SETTLE_POLLS) recent.shift();
    const totals = recent.map(({ total }) => total);
    const spread = Math.max(...totals) - Math.min(...totals);
    if (recent.length === SETTLE_POLLS && spread < SETTLED_MIB) return memory;
    await delay(SETTLE_POLL_MS);
  }
  throw new Error('The memory of Keystow did not settle within a minute.');
}

/** Waits for some work and samples the memory of a process until it is done, every 20 ms. */
export async function peakWhile<T>(
  pid: number,
  work: Promise<T>,
): Promise<{ result: T; peak: ProcessMemory }> {
  const peak = { total: 0, own: 0 };
  let working = true;
  const sampling = (async () => {
    while (working) {
      const memory = await readMemory(pid);
      peak.total = Math.max(peak.total, memory?.total ?? 0);
      peak.own = Math.max(peak.own, memory?.own ?? 0);
      await delay(SAMPLE_MS);
    }
  })();
  const result = await work.finally(() => {
    working = false;
  });
  await sampling;
  return { result, peak };
}

function field(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  return Number(match?.[1]) / 1_024;
}
