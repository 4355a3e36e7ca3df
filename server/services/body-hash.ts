import { type BodyDigests, createBodyDigests, type Digests } from '../s3/body-digests.ts';
import type { ChecksumAlgorithm } from '../s3/expected-checksums.ts';
import { BLOCK_BYTES, type HashThreads, type ThreadHash } from './hash-threads.ts';

/**
 * The digests of one body. A body of one block is hashed where it is, a larger one in a thread: the event
 * loop would spend more time on MD5 than on all else. All reject as those of ThreadHash do.
 */
export interface BodyHash {
  /** Keeps the chunk until there is a block of them. A promise where the caller has to wait. */
  update(chunk: Buffer): Promise<void> | undefined;
  digest(): Promise<Digests>;
  /** To be called in the end, whatever came of it. */
  close(): void;
}

/** Chunks of few bytes take more memory than their bytes. */
const MAX_GATHERED_CHUNKS = 256;

export function createBodyHash(
  threads: HashThreads,
  algorithm: ChecksumAlgorithm | undefined,
): BodyHash {
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let thread: ThreadHash | undefined;

  async function handOver(): Promise<void> {
    thread ??= threads.begin(algorithm);
    await thread.update(gathered);
    gathered = [];
    gatheredBytes = 0;
  }

  async function handOverBefore(chunk: Buffer): Promise<void> {
    await handOver();
    let rest = chunk;
    for (; rest.length > BLOCK_BYTES; rest = rest.subarray(BLOCK_BYTES)) {
      await thread?.update([rest.subarray(0, BLOCK_BYTES)]);
    }
    gathered.push(rest);
    gatheredBytes = rest.length;
  }

  return {
    update(chunk) {
      const isFull = gathered.length === MAX_GATHERED_CHUNKS;
      if (isFull || gatheredBytes + chunk.length > BLOCK_BYTES) return handOverBefore(chunk);
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      return undefined;
    },

    async digest() {
      if (!thread) return digestHere(createBodyDigests(algorithm), gathered);
      await handOver();
      return thread.digest();
    },

    close() {
      thread?.close();
    },
  };
}

function digestHere(digests: BodyDigests, chunks: readonly Buffer[]): Digests {
  for (const chunk of chunks) digests.update(chunk);
  return digests.digest();
}
