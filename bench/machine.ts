import { open, rm, statfs } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './median.ts';

const TMPFS_MAGIC = 0x01021994;
const SYNCS = 200;
const SYNCED_BYTES = 4_096;

/** The machine and its disk, in lines for a reader of the tables. */
export async function describeMachine(folder: string): Promise<string[]> {
  const [cpu] = cpus();
  const inMemory = (await statfs(folder)).type === TMPFS_MAGIC;
  return [
    `Node.js ${process.version}; ${cpus().length} cores (${cpu?.model ?? '?'}), ` +
      `${(totalmem() / 2 ** 30).toFixed(0)} GiB; ` +
      `4 KiB appended and synced in ${(await syncMilliseconds(folder)).toFixed(2)} ms`,
    ...(inMemory
      ? ['The folder is in memory: creates are not durable. Set TMPDIR to a disk.']
      : []),
  ];
}

/** Of one small append with its fdatasync, the median of some. */
async function syncMilliseconds(folder: string): Promise<number> {
  const path = join(folder, 'sync');
  const file = await open(path, 'a');
  const bytes = Buffer.alloc(SYNCED_BYTES);
  const milliseconds: number[] = [];
  for (let count = 0; count < SYNCS; count += 1) {
    const start = performance.now();
    await file.write(bytes);
    await file.datasync();
    milliseconds.push(performance.now() - start);
  }
  await file.close();
  await rm(path);
  return median(milliseconds);
}
