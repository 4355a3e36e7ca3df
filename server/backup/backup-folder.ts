import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobReference, blobReference, mayReferToBlob } from '../services/byte-places.ts';
import { type CopySource, eachBlob } from '../store-copy.ts';
import type { KvEntry } from '../stores/kv-store.ts';
import { BackupError, DamagedBackup } from './backup-error.ts';
import { BLOB_OWNERS, linesOf, parseEntryLine, toEntry, valueBytes } from './entry-lines.ts';
import { createFileReader, filePieces } from './file-reader.ts';
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
  /**
   * The same for what was just written: that entries are in order follows from their checksums, so that only those of
   * blobs are looked at, which takes far less time and memory.
   */
  readBack(onProgress: () => void): Promise<void>;
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

  async function readSummed(name: string, read = createFileReader()): Promise<Buffer> {
    const bytes = await read(join(folder, name)).catch((error) => {
      throw missing(folder, name, error);
    });
    if (sha256Of(bytes) === sums.get(name)) return bytes;
    throw new DamagedBackup(folder, `${name} does not match its checksum`);
  }

  const manifest = parseManifest(await readSummed(MANIFEST));

  /** One buffer for all: each to be read before the next. */
  async function* segments(): AsyncGenerator<Buffer> {
    const read = createFileReader();
    for (const name of sums.keys()) if (name !== MANIFEST) yield await readSummed(name, read);
  }

  async function* entries(after?: string): AsyncGenerator<KvEntry[]> {
    const start = after === undefined ? undefined : Buffer.from(after);
    for await (const bytes of segments()) {
      const page: KvEntry[] = [];
      for (const line of linesOf(bytes)) {
        const entry = toEntry(parseEntryLine(line));
        if (!start || Buffer.compare(Buffer.from(entry.key), start) > 0) page.push(entry);
      }
      yield page;
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
    for await (const piece of filePieces(join(folder, name), READ_BYTES)) hash.update(piece);
    if (hash.digest('hex') === md5) return;
    throw new DamagedBackup(folder, `${name}, the bytes of ${owner}, does not match its MD5`);
  }

  return {
    folder,
    manifest,
    identity: sha256Of(sumsText),
    entries,
    blobs: {
      get: async (id, range) =>
        createReadStream(join(folder, blobName(id)), { highWaterMark: READ_BYTES, ...range }),
    },

    async readBack(onProgress) {
      const found = { blobs: 0, blobBytes: 0 };
      for await (const bytes of segments()) {
        const lines = [...linesOf(bytes, BLOB_OWNERS)];
        const references = lines.flatMap(
          (line) => blobReference(toEntry(parseEntryLine(line))) ?? [],
        );
        await eachBlob(references, checkBlob);
        found.blobs += references.length;
        for (const { size } of references) found.blobBytes += size;
        onProgress();
      }
      checkCounts(folder, manifest, found);
    },

    async verify(onProgress) {
      const found = { entries: 0, entryBytes: 0, blobs: 0, blobBytes: 0 };
      let last = Buffer.alloc(0);
      for await (const bytes of segments()) {
        const references: BlobReference[] = [];
        for (const text of linesOf(bytes)) {
          const line = parseEntryLine(text);
          const key = Buffer.from(line.key);
          if (Buffer.compare(key, last) <= 0 || line.version > manifest.sequence) {
            throw new DamagedBackup(
              folder,
              `the entry ${JSON.stringify(line.key)} is out of place`,
            );
          }
          last = key;
          found.entries += 1;
          found.entryBytes += key.length + valueBytes(line);
          const reference = mayReferToBlob(line.key) ? blobReference(toEntry(line)) : undefined;
          if (reference) references.push(reference);
        }
        await eachBlob(references, checkBlob);
        found.blobs += references.length;
        for (const { size } of references) found.blobBytes += size;
        onProgress?.(found.entries, found.entryBytes + found.blobBytes);
      }
      checkCounts(folder, manifest, found);
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

function checkCounts(
  folder: string,
  manifest: Manifest,
  found: Readonly<Partial<Record<'entries' | 'entryBytes' | 'blobs' | 'blobBytes', number>>>,
): void {
  for (const what of ['entries', 'entryBytes', 'blobs', 'blobBytes'] as const) {
    const count = found[what] ?? manifest[what];
    if (count === manifest[what]) continue;
    const how = `says ${what} ${manifest[what]}, but there are ${count}`;
    throw new DamagedBackup(folder, `${MANIFEST} ${how}`);
  }
}

function missing(folder: string, name: string, cause: NodeJS.ErrnoException): BackupError {
  const how = cause.code === 'ENOENT' ? 'is missing' : `cannot be read (${cause.code})`;
  return new DamagedBackup(folder, `${name} ${how}`, { cause });
}
