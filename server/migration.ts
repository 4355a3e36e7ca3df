import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import type { S3BlobsConfig } from './config.ts';
import type { ImportTarget } from './drivers/postgres/import-target.ts';
import { type BlobReference, blobReference } from './services/byte-places.ts';
import type { BlobStore } from './stores/blob-store.ts';
import type { KvEntry, KvStore } from './stores/kv-store.ts';

/** Copies an embedded store, which nobody has open, to PostgreSQL and an S3-compatible store. */

export interface MigrationOptions {
  readonly dataDir: string;
  /** `postgres://…` */
  readonly store: string;
  /** Undefined: blobs stay in the data directory. */
  readonly blobs: S3BlobsConfig | undefined;
  onProgress(step: 'copying' | 'verifying', entries: number, bytes: number): void;
}

export interface Migrated {
  readonly entries: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** What stands in the way of a copy, or makes it worthless. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Entries that are written, and blobs that are copied, at a time. */
const ENTRIES_AT_A_TIME = 500;
const BYTES_AT_A_TIME = 4 * 1_048_576;
const BLOBS_AT_A_TIME = 4;

/**
 * Copies what is not copied yet, then compares every entry and every blob of both. Versions, and so ETags,
 * stay what they are. Rejects with MigrationError, or as the stores do; the same call again goes on where
 * it stopped.
 */
export async function migrate(options: MigrationOptions): Promise<Migrated> {
  const warnings: string[] = [];
  const { openLevelStoreReadOnly } = await import('./drivers/level/level-store.ts');
  const { openFileBlobStore } = await import('./drivers/file/file-blob-store.ts');
  const { openImportTarget } = await import('./drivers/postgres/import-target.ts');
  const from = await openLevelStoreReadOnly(options.dataDir, (message) => warnings.push(message));
  let to: ImportTarget | undefined;
  try {
    checkWhole(warnings);
    to = await openImportTarget(options.store);
    const blobs = options.blobs && {
      from: await openFileBlobStore(join(options.dataDir, 'blobs')),
      to: await openBlobs(options.blobs),
    };
    const after = await to.begin(await identityOf(from));
    await copy(from, to, after, blobs, options);
    checkWhole(warnings);
    const migrated = await verify(from, to, blobs?.to, options);
    await to.finish(await from.sequence());
    return migrated;
  } finally {
    await to?.close();
    await from.close();
  }
}

interface Blobs {
  readonly from: BlobStore;
  readonly to: BlobStore;
}

async function openBlobs(location: S3BlobsConfig): Promise<BlobStore> {
  const { openS3BlobStore } = await import('./drivers/s3/s3-blob-store.ts');
  return openS3BlobStore({ ...location, now: Date.now });
}

/** What is damaged would be left out without a word. */
function checkWhole(warnings: readonly string[]): void {
  const [first] = warnings;
  if (first === undefined) return;
  throw new MigrationError(`${first} Mend the data directory, or restore a backup, first.`);
}

/** A store's own mark, and its state. */
async function identityOf(from: KvStore): Promise<string> {
  const witness = await from.get('meta/master-key');
  const hash = createHash('sha256').update(witness?.value ?? '');
  return hash.update(String(await from.sequence())).digest('hex');
}

async function copy(
  from: KvStore,
  to: ImportTarget,
  after: string | undefined,
  blobs: Blobs | undefined,
  { onProgress }: MigrationOptions,
): Promise<void> {
  let entries = 0;
  let bytes = 0;
  for await (const batch of batches(from.range({ prefix: '', after }))) {
    if (blobs) bytes += await copyBlobs(batch, blobs);
    await to.write(batch);
    entries += batch.length;
    bytes += batch.reduce((sum, { value }) => sum + value.length, 0);
    onProgress('copying', entries, bytes);
  }
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
async function copyBlobs(entries: readonly KvEntry[], { from, to }: Blobs): Promise<number> {
  const references = entries.flatMap((entry) => blobReference(entry) ?? []);
  await eachOf(references, async ({ id, size }) => {
    const source = await from.get(id, { start: 0, end: size - 1 });
    await to.put(source, id);
  });
  return references.reduce((sum, { size }) => sum + size, 0);
}

async function eachOf(
  references: readonly BlobReference[],
  work: (reference: BlobReference) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < references.length; at += BLOBS_AT_A_TIME) {
    await Promise.all(references.slice(at, at + BLOBS_AT_A_TIME).map(work));
  }
}

async function verify(
  from: KvStore,
  to: ImportTarget,
  blobs: BlobStore | undefined,
  { onProgress }: MigrationOptions,
): Promise<Migrated> {
  const expected = await summaryOf(from.range({ prefix: '' }));
  let checkedBlobs = 0;
  let bytes = 0;
  const found = await summaryOf(to.range({ prefix: '' }), async (page, entries) => {
    const references = blobs ? page.flatMap((entry) => blobReference(entry) ?? []) : [];
    if (blobs) await eachOf(references, (reference) => checkBlob(blobs, reference));
    checkedBlobs += references.length;
    bytes += references.reduce((sum, { size }) => sum + size, 0);
    onProgress('verifying', entries, bytes);
  });
  if (found.entries !== expected.entries || found.hash !== expected.hash) {
    throw new MigrationError(
      `The copy has ${found.entries} entries, the data directory ${expected.entries}, or their contents differ: empty the database and begin again.`,
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

async function checkBlob(blobs: BlobStore, { id, size, md5 }: BlobReference): Promise<void> {
  const hash = createHash('md5');
  for await (const chunk of await blobs.get(id, { start: 0, end: size - 1 })) hash.update(chunk);
  if (hash.digest('hex') === md5) return;
  throw new MigrationError(`The copy of the blob ${id} differs: delete it, and begin again.`);
}
