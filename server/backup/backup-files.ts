import { type BlobReference, blobReference } from '../services/byte-places.ts';
import { BlobDamaged, BlobMissing, type BlobStore } from '../stores/blob-store.ts';
import { DamagedEntry, type KvEntry, type KvSnapshot, MIGRATION_KEY } from '../stores/kv-store.ts';
import { version } from '../version.ts';
import { BackupError } from './backup-error.ts';
import { toEntryLine } from './entry-lines.ts';
import {
  blobName,
  encodeManifest,
  entriesName,
  MANIFEST,
  SUMS,
  sha256Of,
  sumLine,
} from './manifest.ts';

/** One file of a backup. */
export interface BackupFile {
  readonly name: string;
  readonly size: number;
  /** To be called at most once. Rejects with BackupError. */
  open(): Promise<AsyncIterable<Buffer> | Iterable<Buffer>>;
}

/** A file of entries ends with the page that makes it so large; so much is in memory at a time. */
const SEGMENT_BYTES = 1_048_576;

/** Leases of running nodes, which would keep the restored ones from their work. */
export const BACKUP_LEASE_KEY = 'meta/backup';
export const SWEEP_LEASE_KEY = 'meta/sweep';
const LEFT_OUT = new Set([BACKUP_LEASE_KEY, SWEEP_LEASE_KEY, MIGRATION_KEY]);

interface Segment {
  readonly chunks: readonly Buffer[];
  readonly blobs: readonly BlobReference[];
}

interface Counts {
  entries: number;
  documents: number;
  objects: number;
  blobs: number;
  entryBytes: number;
  blobBytes: number;
}

/**
 * The files of a backup of the snapshot: of each some of the entries, the blobs that they refer to, and at last the
 * manifest and the checksums. Throws BackupError for what is damaged or missing: never a hole without a word.
 */
export async function* backupFiles(options: {
  readonly snapshot: KvSnapshot;
  readonly blobs: Pick<BlobStore, 'get'>;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
}): AsyncGenerator<BackupFile> {
  const { snapshot, blobs, takenAt } = options;
  const counts = { entries: 0, documents: 0, objects: 0, blobs: 0, entryBytes: 0, blobBytes: 0 };
  let sums = '';
  let number = 0;
  for await (const { chunks, blobs: references } of segments(snapshot, counts)) {
    number += 1;
    const name = entriesName(number);
    sums += sumLine(name, sha256Of(...chunks));
    yield wholeFile(name, ...chunks);
    for (const reference of references) {
      counts.blobs += 1;
      counts.blobBytes += reference.size;
      yield blobFile(reference, blobs);
    }
  }
  const { sequence } = snapshot;
  const manifest = encodeManifest({
    keystow: version,
    sequence,
    takenAt: new Date(takenAt).toISOString(),
    ...counts,
  });
  yield wholeFile(MANIFEST, manifest);
  yield wholeFile(SUMS, Buffer.from(sums + sumLine(MANIFEST, sha256Of(manifest))));
}

async function* segments(snapshot: KvSnapshot, counts: Counts): AsyncGenerator<Segment> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let blobs: BlobReference[] = [];
  for await (const page of readable(snapshot.entries())) {
    const entries = page.filter(({ key }) => !LEFT_OUT.has(key));
    for (const entry of entries) {
      if (entry.version > snapshot.sequence) {
        throw new Error(`The snapshot ${snapshot.sequence} has an entry of ${entry.version}.`);
      }
      countEntry(counts, entry);
    }
    const chunk = Buffer.from(entries.map(toEntryLine).join(''));
    chunks.push(chunk);
    bytes += chunk.length;
    blobs.push(...entries.flatMap((entry) => blobReference(entry) ?? []));
    if (bytes < SEGMENT_BYTES) continue;
    yield { chunks, blobs };
    chunks = [];
    bytes = 0;
    blobs = [];
  }
  if (bytes > 0) yield { chunks, blobs };
}

function countEntry(counts: Counts, { key, value }: KvEntry): void {
  counts.entries += 1;
  counts.entryBytes += Buffer.byteLength(key) + value.length;
  if (key.startsWith('data/')) counts.documents += 1;
  if (key.startsWith('object/')) counts.objects += 1;
}

async function* readable(pages: AsyncIterable<KvEntry[]>): AsyncGenerator<KvEntry[]> {
  try {
    yield* pages;
  } catch (error) {
    if (!(error instanceof DamagedEntry)) throw error;
    throw new BackupError(`${error.message} Write or delete it, then take the backup again.`, {
      cause: error,
    });
  }
}

function wholeFile(name: string, ...chunks: Buffer[]): BackupFile {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  return { name, size, open: () => Promise.resolve(chunks) };
}

function blobFile(reference: BlobReference, blobs: Pick<BlobStore, 'get'>): BackupFile {
  const { id, size } = reference;
  return {
    name: blobName(id),
    size,
    async open() {
      if (size === 0) return [];
      try {
        return await blobs.get(id, { start: 0, end: size - 1 });
      } catch (error) {
        if (!(error instanceof BlobMissing || error instanceof BlobDamaged)) throw error;
        throw new BackupError(
          `${error.message} ${reference.owner} refers to it: write or delete that, then take the backup again.`,
          { cause: error },
        );
      }
    },
  };
}
