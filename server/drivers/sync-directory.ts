import { open } from 'node:fs/promises';

/** Makes names in the directory durable: fsync of a file does not cover its name (fsync(2)). */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
