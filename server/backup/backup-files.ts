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

/** Of one file of entries, unless a single one is larger; what is in memory at a time. */
const SEGMENT_BYTES = 1_048_576;

/** Leases of running nodes, which would keep the restored ones from their work. */
export const BACKUP_LEASE_KEY = 'meta/backup';
export const SWEEP_LEASE_KEY = 'meta/sweep';
const LEFT_OUT = new Set([BACKUP_LEASE_KEY, SWEEP_LEASE_KEY, MIGRATION_KEY]);

interface Segment {
  readonly lines: Buffer;
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
  for await (const { lines, blobs: references } of segments(snapshot, counts)) {
    number += 1;
    const name = entriesName(number);
    sums += sumLine(name, sha256Of(lines));
    yield wholeFile(name, lines);
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
  let lines: Buffer[] = [];
  let bytes = 0;
  let blobs: BlobReference[] = [];
  for await (const page of readable(snapshot.entries())) {
    for (const entry of page) {
      if (LEFT_OUT.has(entry.key)) continue;
      if (entry.version > snapshot.sequence) {
        throw new Error(`The snapshot ${snapshot.sequence} has an entry of ${entry.version}.`);
      }
      const line = Buffer.from(toEntryLine(entry));
      lines.push(line);
      bytes += line.length;
      blobs.push(...(referenceOf(entry) ?? []));
      countEntry(counts, entry);
      if (bytes < SEGMENT_BYTES) continue;
      yield { lines: Buffer.concat(lines), blobs };
      lines = [];
      bytes = 0;
      blobs = [];
    }
  }
  if (lines.length > 0) yield { lines: Buffer.concat(lines), blobs };
}

function referenceOf(entry: KvEntry): BlobReference[] | undefined {
  const reference = blobReference(entry);
  return reference && [reference];
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

function wholeFile(name: string, bytes: Buffer): BackupFile {
  return { name, size: bytes.length, open: () => Promise.resolve([bytes]) };
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
