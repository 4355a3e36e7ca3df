import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobReference, blobReference } from '../services/byte-places.ts';
import { type CopySource, eachBlob } from '../store-copy.ts';
import type { KvEntry } from '../stores/kv-store.ts';
import { BackupError, DamagedBackup } from './backup-error.ts';
import { parseEntryLine } from './entry-lines.ts';
import {
  blobName,
  MANIFEST,
  type Manifest,
  parseManifest,
  parseSums,
  SUMS,
  sha256Of,
} from './manifest.ts';

/** A backup that is whole by its name; what it holds is checked as it is read. */
export interface Backup extends CopySource {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Reads all of it. Rejects with BackupError where a bit is not as it was written. */
  verify(onProgress?: (entries: number, bytes: number) => void): Promise<void>;
}

/** What a blob is read in, in bytes. */
const READ_BYTES = 256 * 1_024;

/** Rejects with BackupError for a folder that is no whole backup. */
export async function openBackup(folder: string): Promise<Backup> {
  if (!existsSync(join(folder, MANIFEST)) || !existsSync(join(folder, SUMS))) {
    throw new BackupError(`${folder} is not a whole backup: it has no ${MANIFEST} or no ${SUMS}.`);
  }
  const sumsText = await readFile(join(folder, SUMS));
  const sums = parseSums(sumsText.toString());

  async function readSummed(name: string): Promise<Buffer> {
    const bytes = await readFile(join(folder, name)).catch((error) => {
      throw missing(folder, name, error);
    });
    if (sha256Of(bytes) === sums.get(name)) return bytes;
    throw new DamagedBackup(folder, `${name} does not match its checksum`);
  }

  const manifest = parseManifest(await readSummed(MANIFEST));

  async function* entries(after?: string): AsyncGenerator<KvEntry[]> {
    const start = after === undefined ? undefined : Buffer.from(after);
    for (const name of sums.keys()) {
      if (name === MANIFEST) continue;
      const lines = (await readSummed(name)).toString().split('\n').slice(0, -1);
      const page = lines.map(parseEntryLine);
      yield start ? page.filter(({ key }) => Buffer.compare(Buffer.from(key), start) > 0) : page;
    }
  }

  async function checkBlob({ id, size, md5, owner }: BlobReference): Promise<void> {
    const name = blobName(id);
    const found = await stat(join(folder, name)).catch((error) => {
      throw missing(folder, `${name}, the bytes of ${owner},`, error);
    });
    if (found.size !== size) {
      const how = `has ${found.size} bytes instead of ${size}`;
      throw new DamagedBackup(folder, `${name}, the bytes of ${owner}, ${how}`);
    }
    const hash = createHash('md5');
    for await (const chunk of readBlob(name)) hash.update(chunk);
    if (hash.digest('hex') === md5) return;
    throw new DamagedBackup(folder, `${name}, the bytes of ${owner}, does not match its MD5`);
  }

  function readBlob(name: string, range?: { start: number; end: number }) {
    return createReadStream(join(folder, name), { highWaterMark: READ_BYTES, ...range });
  }

  return {
    folder,
    manifest,
    identity: sha256Of(sumsText),
    entries,
    blobs: { get: async (id, range) => readBlob(blobName(id), range) },

    async verify(onProgress) {
      const found = { entries: 0, entryBytes: 0, blobs: 0, blobBytes: 0 };
      let last = Buffer.alloc(0);
      for await (const page of entries()) {
        for (const { key, value, version } of page) {
          const keyBytes = Buffer.from(key);
          if (Buffer.compare(keyBytes, last) <= 0 || version > manifest.sequence) {
            throw new DamagedBackup(folder, `the entry ${JSON.stringify(key)} is out of place`);
          }
          last = keyBytes;
          found.entryBytes += keyBytes.length + value.length;
        }
        found.entries += page.length;
        const references = page.flatMap((entry) => blobReference(entry) ?? []);
        await eachBlob(references, checkBlob);
        found.blobs += references.length;
        for (const { size } of references) found.blobBytes += size;
        onProgress?.(found.entries, found.entryBytes + found.blobBytes);
      }
      for (const what of ['entries', 'entryBytes', 'blobs', 'blobBytes'] as const) {
        if (found[what] === manifest[what]) continue;
        const how = `says ${what} ${manifest[what]}, but there are ${found[what]}`;
        throw new DamagedBackup(folder, `${MANIFEST} ${how}`);
      }
    },
  };
}

/** The names of the whole backups in a folder, oldest first, of those that `isName` knows. */
export async function listBackups(
  folder: string,
  isName: (name: string) => boolean,
): Promise<string[]> {
  const names = (await readdir(folder)).filter(isName).sort();
  return names.filter((name) => existsSync(join(folder, name, SUMS)));
}

function missing(folder: string, name: string, cause: NodeJS.ErrnoException): BackupError {
  const how = cause.code === 'ENOENT' ? 'is missing' : `cannot be read (${cause.code})`;
  return new DamagedBackup(folder, `${name} ${how}`, { cause });
}
