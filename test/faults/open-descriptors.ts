import { readdirSync, readlinkSync } from 'node:fs';

/**
 * How many descriptors of each kind a process has open. LevelDB's tables are left out: it opens and
 * closes them as it likes.
 */
export function openDescriptors(pid: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    const kind = kindOf(`/proc/${pid}/fd/${descriptor}`);
    if (kind === undefined) continue;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

function kindOf(link: string): string | undefined {
  let target: string;
  try {
    target = readlinkSync(link);
  } catch {
    // Closed since it was listed.
    return undefined;
  }
  if (/\/level\/\d+\.\w+( \(deleted\))?$/.test(target)) return undefined;
  return target.replace(/:\[\d+\]$/, '');
}
