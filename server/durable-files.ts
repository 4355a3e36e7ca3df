import { open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes names in the directory durable: fsync of a file does not cover its name (fsync(2)). */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a small file that is there whole, or not at all, after a crash. `mode` defaults to 0644. */
export async function writeDurably(path: string, text: string, mode = 0o644): Promise<void> {
  await writeFile(`${path}.new`, text, { flush: true, mode });
  await rename(`${path}.new`, path);
  await syncDirectory(dirname(path));
}
