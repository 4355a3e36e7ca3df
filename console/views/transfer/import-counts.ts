import type { Written } from './batch-writer.ts';
import type { Batch } from './batches.ts';
import { commonPrefix } from './common-prefix.ts';
import { createProblemList, type ProblemList } from './problem-list.ts';

export interface ImportCounts {
  readonly created: number;
  readonly replaced: number;
  readonly skipped: number;
  readonly refused: ProblemList;
  /** What all keys of the file's documents so far begin with; undefined where there is none. */
  readonly prefix: string | undefined;
}

export function createImportCounts() {
  const refused = createProblemList();
  let [created, replaced, skipped] = [0, 0, 0];
  let prefix: string | undefined;
  return {
    add({ members, broken }: Batch, written: Written): void {
      created += written.created;
      replaced += written.replaced;
      skipped += written.skipped;
      const problems = [...broken, ...written.refused];
      for (const problem of problems.sort((a, b) => a.line - b.line)) refused.add(problem);
      const isRefused = new Set(written.refused.map(({ line }) => line));
      for (const { line, key } of members) {
        if (!isRefused.has(line)) prefix = commonPrefix(prefix ?? key, key);
      }
    },
    all: (): ImportCounts => ({ created, replaced, skipped, refused: refused.list(), prefix }),
  };
}
