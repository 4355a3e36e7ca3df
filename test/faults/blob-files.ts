import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { md5Of } from './upload-client.ts';

/** Every file below the folder of the blobs, `incoming` included, by its path from there. */
export function blobFiles(dataDir: string): string[] {
  const found = readdirSync(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(dataDir.length + '/blobs/'.length))
    .sort();
}

/** The MD5 of each of them. */
export function blobDigests(dataDir: string): ReadonlyMap<string, string> {
  return new Map(
    blobFiles(dataDir).map((file) => [file, md5Of(readFileSync(join(dataDir, 'blobs', file)))]),
  );
}
