import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The files that hold bytes of objects too large for the database, finished or not. */
export async function blobFiles(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, 'blobs');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
