import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every name below a folder with type, size, time of change (ns) and contents: equal, or something was touched. */
export function snapshotFolder(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    ['.', ...names].map((name) => {
      const path = join(folder, name);
      const stat = statSync(path, { bigint: true });
      const contents = stat.isFile() ? sha256(readFileSync(path)) : 'folder';
      return [name, `${contents} ${stat.size} bytes, mtime ${stat.mtimeNs}, inode ${stat.ino}`];
    }),
  );
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
