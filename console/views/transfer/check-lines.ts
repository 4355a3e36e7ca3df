import { createProblemList, type ProblemList } from './problem-list.ts';
import type { ReadLine } from './read-records.ts';
import { createSeenKeys, type SeenKeys } from './seen-keys.ts';

/** What a dry run finds: nothing is sent. */
export interface CheckedLines {
  /** That have something in them. */
  readonly lines: number;
  readonly documents: number;
  readonly broken: ProblemList;
  /** Lines with a key that an earlier line has. */
  readonly repeated: number;
  /** The first of them, by their numbers. */
  readonly firstRepeated: readonly number[];
  /** False for more keys than are remembered: there may be more that are repeated. */
  readonly knowsAllKeys: boolean;
}

const MOST_SHOWN = 5;

/** `onLine` is told how far it is, in bytes of the file, and waited for where it gives a promise. */
export async function checkLines(
  lines: AsyncIterable<ReadLine>,
  onLine: (end: number, documents: number) => Promise<void> | undefined,
  seen: SeenKeys = createSeenKeys(),
): Promise<CheckedLines> {
  const broken = createProblemList();
  const firstRepeated: number[] = [];
  let [count, documents, repeated, knowsAllKeys] = [0, 0, 0, true];
  for await (const line of lines) {
    count += 1;
    if ('problem' in line) {
      broken.add({ line: line.number, reason: line.problem });
    } else {
      documents += 1;
      const isRepeated = seen.meet(line.record.key);
      knowsAllKeys &&= isRepeated !== undefined;
      if (isRepeated) {
        repeated += 1;
        if (firstRepeated.length < MOST_SHOWN) firstRepeated.push(line.number);
      }
    }
    const rest = onLine(line.end, documents);
    if (rest) await rest;
  }
  return { lines: count, documents, broken: broken.list(), repeated, firstRepeated, knowsAllKeys };
}
