import { createHash, type Hash } from 'node:crypto';
import { type BlobReference, blobReference } from './services/byte-places.ts';
import type { BlobStore } from './stores/blob-store.ts';
import type { ImportTarget } from './stores/import-target.ts';
import type { KvEntry } from './stores/kv-store.ts';

/** Copies entries, with their versions, and blobs into an empty store, and compares both. */

export interface CopySource {
  /** Tells it, and its state, from all others. */
  readonly identity: string;
  /** All entries behind a key, in byte order of their keys, in pages. */
  entries(after?: string): AsyncIterable<KvEntry[]>;
  readonly blobs: Pick<BlobStore, 'get'>;
}

export interface CopyTarget {
  readonly store: ImportTarget;
  /** Undefined: the blobs stay where they are. */
  readonly blobs: BlobStore | undefined;
  /** Rejects where something else is in the way, before anything is written. */
  checkEmpty?(): Promise<void>;
}

export type OnProgress = (
  step: 'checking' | 'copying' | 'verifying',
  entries: number,
  bytes: number,
) => void;

export interface Copied {
  readonly entries: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** The copy is not what it was made from. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
}

/** Entries that are written, and blobs that are copied, at a time. */
const ENTRIES_AT_A_TIME = 500;
const BYTES_AT_A_TIME = 4 * 1_048_576;
const BLOBS_AT_A_TIME = 4;

/**
 * Copies what is not copied yet, then compares every entry and every blob of both; `finish` is left to the
 * caller. Rejects with CopyError, or as the stores do; the same call again goes on where it stopped.
 */
export async function copyStore(
  from: CopySource,
  to: CopyTarget,
  onProgress: OnProgress,
): Promise<Copied> {
  const after = await to.store.begin(from.identity, to.checkEmpty);
  let entries = 0;
  let bytes = 0;
  for await (const batch of batches(from.entries(after))) {
    if (to.blobs) bytes += await copyBlobs(batch, from.blobs, to.blobs);
    await to.store.write(batch);
    entries += batch.length;
    bytes += batch.reduce((sum, { value }) => sum + value.length, 0);
    onProgress('copying', entries, bytes);
  }
  return compare(from, to, onProgress);
}

async function* batches(pages: AsyncIterable<KvEntry[]>): AsyncGenerator<KvEntry[]> {
  let batch: KvEntry[] = [];
  let bytes = 0;
  for await (const page of pages) {
    for (const entry of page) {
      batch.push(entry);
      bytes += entry.value.length;
      if (batch.length < ENTRIES_AT_A_TIME && bytes < BYTES_AT_A_TIME) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/** The bytes that were copied. */
async function copyBlobs(
  entries: readonly KvEntry[],
  from: CopySource['blobs'],
  to: BlobStore,
): Promise<number> {
  const references = entries.flatMap((entry) => blobReference(entry) ?? []);
  await eachBlob(references, async (reference) => {
    await to.put(blobBytes(from, reference), reference.id);
  });
  return references.reduce((sum, { size }) => sum + size, 0);
}

/** The bytes of a blob; a direct upload may have none. */
export async function* blobBytes(
  blobs: Pick<BlobStore, 'get'>,
  { id, size }: BlobReference,
): AsyncGenerator<Buffer> {
  if (size > 0) yield* await blobs.get(id, { start: 0, end: size - 1 });
}

/** A few at a time. */
export async function eachBlob(
  references: readonly BlobReference[],
  work: (reference: BlobReference) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < references.length; at += BLOBS_AT_A_TIME) {
    await Promise.all(references.slice(at, at + BLOBS_AT_A_TIME).map(work));
  }
}

async function compare(from: CopySource, to: CopyTarget, onProgress: OnProgress): Promise<Copied> {
  const { blobs } = to;
  const expected = await summaryOf(from.entries());
  let checkedBlobs = 0;
  let bytes = 0;
  const found = await summaryOf(to.store.range({ prefix: '' }), async (page, entries) => {
    const references = blobs ? page.flatMap((entry) => blobReference(entry) ?? []) : [];
    if (blobs) await eachBlob(references, (reference) => checkBlob(blobs, reference));
    checkedBlobs += references.length;
    bytes += references.reduce((sum, { size }) => sum + size, 0);
    onProgress('verifying', entries, bytes);
  });
  if (found.entries !== expected.entries || found.hash !== expected.hash) {
    throw new CopyError(
      `The copy has ${found.entries} entries, the original ${expected.entries}, or their contents differ: empty the copy and begin again.`,
    );
  }
  return { entries: found.entries, blobs: checkedBlobs, bytes };
}

async function summaryOf(
  pages: AsyncIterable<KvEntry[]>,
  onPage?: (page: KvEntry[], entries: number) => Promise<void>,
): Promise<{ entries: number; hash: string }> {
  const hash = createHash('sha256');
  let entries = 0;
  for await (const page of pages) {
    for (const entry of page) hashEntry(hash, entry);
    entries += page.length;
    await onPage?.(page, entries);
  }
  return { entries, hash: hash.digest('hex') };
}

function hashEntry(hash: Hash, { key, version, value }: KvEntry): void {
  hash.update(JSON.stringify([key, version, value.length])).update(value);
}

async function checkBlob(blobs: BlobStore, reference: BlobReference): Promise<void> {
  const hash = createHash('md5');
  for await (const chunk of blobBytes(blobs, reference)) hash.update(chunk);
  if (hash.digest('hex') === reference.md5) return;
  throw new CopyError(`The copy of the blob ${reference.id} differs: delete it, and begin again.`);
}
