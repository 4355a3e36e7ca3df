import type { BlobStore } from './blob-store.ts';
import type { KvMutation, KvStore } from './kv-store.ts';

/** Refuses what would fill the disk, while reading and deleting go on. */
export interface SpaceCheck {
  /** Throws a `KeystowError` (`disk-full`). */
  checkMayWrite(): void;
  /** The same, of what makes space in the end. */
  checkMayRemove(): void;
}

/** What a commit may put besides what it deletes, and still be one that deletes: a mark, not a document. */
const MAX_MARK_BYTES = 1_024;

export function guardStore(store: KvStore, space: SpaceCheck): KvStore {
  return {
    ...store,
    async commit(checks, mutations) {
      if (isRemoval(mutations)) space.checkMayRemove();
      else space.checkMayWrite();
      return store.commit(checks, mutations);
    },
  };
}

export function guardBlobs(blobs: BlobStore, space: SpaceCheck): BlobStore {
  async function* guarded(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      space.checkMayWrite();
      yield chunk;
    }
  }

  return {
    ...blobs,
    put: (source, id) => blobs.put(guarded(source), id),
  };
}

function isRemoval(mutations: readonly KvMutation[]): boolean {
  let deletes = 0;
  let puts = 0;
  let bytes = 0;
  for (const mutation of mutations) {
    if (mutation.type === 'delete') deletes += 1;
    else {
      puts += 1;
      bytes += mutation.value.byteLength;
    }
  }
  return deletes > 0 && puts <= deletes && bytes <= MAX_MARK_BYTES;
}
