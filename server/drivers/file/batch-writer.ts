/** Writes a file from its beginning: several chunks at a time, while the next ones are gathered. */
export interface BatchWriter {
  /** What was taken so far. */
  readonly bytes: number;
  /** A promise where the caller has to wait; it rejects with what an earlier write threw. */
  write(chunk: Buffer): Promise<void> | undefined;
  /** Resolves once everything is written. */
  end(): Promise<void>;
  /** Resolves once no write is under way, whatever came of it. */
  settled(): Promise<void>;
}

/** A file, or what a test has in its place. */
interface Target {
  writev(chunks: readonly Buffer[]): Promise<{ readonly bytesWritten: number }>;
}

/** Each write takes a thread of the pool, and waking it up costs as much as writing 32 KiB. */
const BATCH_BYTES = 256 * 1_024;
/** What one system call takes is 1,024; chunks of few bytes take more memory than their bytes. */
const MAX_BATCH_CHUNKS = 256;

export function createBatchWriter(target: Target): BatchWriter {
  let batch: Buffer[] = [];
  let batchBytes = 0;
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    await writing;
    const chunks = batch;
    batch = [];
    batchBytes = 0;
    writing = writeAll(target, chunks);
    // Whoever waits next is told.
    writing.catch(() => {});
  }

  return {
    get bytes() {
      return bytes;
    },

    write(chunk) {
      batch.push(chunk);
      batchBytes += chunk.length;
      bytes += chunk.length;
      const isFull = batchBytes >= BATCH_BYTES || batch.length === MAX_BATCH_CHUNKS;
      return isFull ? flush() : undefined;
    },

    async end() {
      await flush();
      await writing;
    },

    settled: () => writing.catch(() => {}),
  };
}

async function writeAll(target: Target, chunks: readonly Buffer[]): Promise<void> {
  let left = chunks;
  while (left.length > 0) {
    const { bytesWritten } = await target.writev(left);
    left = without(left, bytesWritten);
  }
}

/** The disk may take less than it is given. */
function without(chunks: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
    return rest.length > 0 ? [rest] : [];
  });
}
