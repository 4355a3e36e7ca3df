import type { Written } from './batch-writer.ts';
import type { Batch } from './batches.ts';

export interface ImportRun {
  readonly batches: AsyncGenerator<Batch, void>;
  readonly write: (members: Batch['members']) => Promise<Written>;
  /** Asked before each batch: false ends it. */
  readonly mayGoOn: () => Promise<boolean>;
  readonly onWritten: (batch: Batch, written: Written) => void;
}

/**
 * Writes one batch after the other, so that of several lines with one key the later comes later; the next is
 * read while the server writes. False if it was ended before all was written.
 */
export async function runImport({ batches, ...run }: ImportRun): Promise<boolean> {
  let upcoming = batches.next();
  try {
    for (;;) {
      const { value: batch } = await upcoming;
      if (!batch) return true;
      if (!(await run.mayGoOn())) return false;
      upcoming = batches.next();
      // It is awaited only if this batch can be written.
      upcoming.catch(() => undefined);
      run.onWritten(batch, await run.write(batch.members));
    }
  } finally {
    await batches.return();
  }
}
