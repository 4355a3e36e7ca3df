import { checkLines } from './check-lines.ts';
import { KIND_BYTES, whyNoLines } from './file-kind.ts';
import { begin, readable } from './import-state.ts';
import { chunksOf, readRecords } from './read-records.ts';

const SHOWN_EVERY_MS = 50;

/** The dry run: reads and judges all lines, and sends nothing. */
export async function checkFile(file: File): Promise<void> {
  const { over, show } = begin();
  let shownAt = performance.now();
  show({ kind: 'checking', file, done: 0, documents: 0 });
  try {
    const start = await file.slice(0, KIND_BYTES).arrayBuffer();
    const problem = whyNoLines(new Uint8Array(start));
    if (problem) throw new Error(problem);
    const lines = readRecords(chunksOf(file.stream(), over));
    const checked = await checkLines(lines, (done, documents) => {
      if (performance.now() - shownAt < SHOWN_EVERY_MS) return undefined;
      show({ kind: 'checking', file, done, documents });
      return nextTask().then(() => {
        shownAt = performance.now();
      });
    });
    show({ kind: 'checked', file, checked });
  } catch (error) {
    show({ kind: 'idle', error: readable(error) });
  }
}

/** The page paints and answers in between: promises alone leave it no time. No timer, which hidden tabs slow down. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
