import { readRevision } from '../../api/revision.ts';
import { isStoredSince, sendMembers } from '../../api/transfer.ts';
import { countOf } from '../../parts/amounts.ts';
import { announce } from '../../parts/toasts.tsx';
import { createBatchRetries, type Trouble } from './batch-retries.ts';
import { type ConflictRule, createBatchWriter, mayHaveStored } from './batch-writer.ts';
import { toBatches } from './batches.ts';
import { createImportControl, type ImportControl } from './import-control.ts';
import { createImportCounts } from './import-counts.ts';
import { runImport } from './import-run.ts';
import { begin, readable } from './import-state.ts';
import { chunksOf, readRecords } from './read-records.ts';
import { createStopwatch } from './stopwatch.ts';

/** The import that goes on, whichever view is shown. */

let control: ImportControl | undefined;

export function pauseImport(): void {
  control?.pause();
}

export function resumeImport(): void {
  control?.resume();
}

export function stopImport(): void {
  control?.stop();
}

/** `lines` are how many there are. */
export async function startImport(file: File, lines: number, rule: ConflictRule): Promise<void> {
  const { over, show } = begin();
  const counts = createImportCounts();
  const watch = createStopwatch();
  let done = 0;
  let trouble: Trouble | undefined;
  let isUncertain = false;

  function showProgress(): void {
    const { phase } = mine;
    const [all, elapsedMs] = [counts.all(), watch.elapsed()];
    show({ kind: 'writing', file, lines, counts: all, done, elapsedMs, phase, trouble });
  }
  function showEnd(isWhole: boolean, error?: unknown): void {
    const all = counts.all();
    show({ kind: 'ended', file, counts: all, isWhole, isUncertain, error });
    const stored = countOf(all.created + all.replaced, 'document');
    if (!over.aborted) announce({ text: `The import has ended: ${stored} stored.` });
  }

  const mine = createImportControl((phase) => {
    watch.run(phase !== 'paused');
    showProgress();
  });
  control = mine;
  over.addEventListener('abort', () => mine.stop(), { once: true });
  const again = createBatchRetries(mine, (now) => {
    trouble = now;
    showProgress();
  });
  showProgress();
  try {
    const revision = await readRevision(over);
    const isWhole = await runImport({
      batches: toBatches(readRecords(chunksOf(file.stream(), over))),
      write: createBatchWriter({
        rule,
        send: sendMembers,
        isOurs: (member) => isStoredSince(revision, member),
        again(error, attempt) {
          isUncertain ||= mayHaveStored(error);
          return again(error, attempt);
        },
      }),
      mayGoOn: () => mine.mayGoOn(),
      onWritten(batch, written) {
        counts.add(batch, written);
        done = batch.end;
        trouble = undefined;
        isUncertain = false;
        showProgress();
      },
    });
    showEnd(isWhole);
  } catch (error) {
    showEnd(false, readable(error));
  }
}
