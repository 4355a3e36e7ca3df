import type { WrittenBatch } from '../stores/commit-queue.ts';
import { CommitConflict, type KvStore } from '../stores/kv-store.ts';
import { createHistogram, type Histogram } from './histogram.ts';

/** Commits as services see them, and the batches that they are written in. */
export interface StoreCounts {
  /** The same store, its commits counted. */
  count(store: KvStore): KvStore;
  onBatch(batch: WrittenBatch): void;
  /** Called and not answered yet. */
  readonly underWay: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Seconds from the call to the answer. */
  readonly duration: Histogram;
  /** Commits of one batch, its bytes, and the seconds until it was on disk. */
  readonly batchCommits: Histogram;
  readonly batchBytes: Histogram;
  readonly batchDuration: Histogram;
}

/** A conflict is a check that did not hold; what is refused is a full queue, a full disk, a failed store. */
type Outcome = 'stored' | 'conflict' | 'refused';

const SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const COMMITS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048];
const BYTES = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

export function createStoreCounts(): StoreCounts {
  const outcomes: Record<Outcome, number> = { stored: 0, conflict: 0, refused: 0 };
  const duration = createHistogram(SECONDS);
  const batchCommits = createHistogram(COMMITS);
  const batchBytes = createHistogram(BYTES);
  const batchDuration = createHistogram(SECONDS);
  let underWay = 0;

  function answered(outcome: Outcome, start: number): void {
    underWay -= 1;
    outcomes[outcome] += 1;
    duration.observe((performance.now() - start) / 1_000);
  }

  return {
    get underWay() {
      return underWay;
    },
    outcomes,
    duration,
    batchCommits,
    batchBytes,
    batchDuration,

    onBatch({ commits, bytes, milliseconds }) {
      batchCommits.observe(commits);
      batchBytes.observe(bytes);
      batchDuration.observe(milliseconds / 1_000);
    },

    count: (store) => ({
      ...store,
      commit(checks, mutations) {
        const start = performance.now();
        const committed = store.commit(checks, mutations);
        underWay += 1;
        committed.then(
          () => answered('stored', start),
          (error) => answered(error instanceof CommitConflict ? 'conflict' : 'refused', start),
        );
        return committed;
      },
    }),
  };
}
