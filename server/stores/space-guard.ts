import type { BlobStore } from './blob-store.ts';
import type { KvMutation, KvStore } from './kv-store.ts';

/** Refuses what would fill the disk, while reading and deleting go on. */
export interface SpaceCheck {
  /** Before so many bytes are written. Throws a `KeystowError` (`disk-full`). */
  checkMayWrite(bytes: number): void;
  /** The same, of what makes space in the end. */
  checkMayRemove(): void;
}

/** What a commit may put besides what it deletes, and still be one that deletes: a mark, not a document. */
const MAX_MARK_BYTES = 1_024;

/** An entry lies in LevelDB's log, and in a table later. */
const COPIES = 2;

export function guardStore(store: KvStore, space: SpaceCheck): KvStore {
  return {
    ...store,
    async commit(checks, mutations) {
      const bytes = putBytes(mutations);
      if (isRemoval(mutations, bytes)) space.checkMayRemove();
      else space.checkMayWrite(bytes * COPIES);
      return store.commit(checks, mutations);
    },
  };
}

export function guardBlobs(blobs: BlobStore, space: SpaceCheck): BlobStore {
  async function* guarded(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      space.checkMayWrite(chunk.length);
      yield chunk;
    }
  }

  return {
    ...blobs,
    put: (source, id) => blobs.put(guarded(source), id),
  };
}

function isRemoval(mutations: readonly KvMutation[], bytes: number): boolean {
  const deletes = mutations.filter(({ type }) => type === 'delete').length;
  return deletes > 0 && 2 * deletes >= mutations.length && bytes <= MAX_MARK_BYTES;
}

function putBytes(mutations: readonly KvMutation[]): number {
  let bytes = 0;
  for (const mutation of mutations) {
    if (mutation.type === 'put') bytes += mutation.key.length + mutation.value.byteLength;
  }
  return bytes;
}
