import { isBlank, type Line } from '../../shared/ndjson/lines.ts';
import { BrokenLineError, type ImportRecord, parseRecord } from '../../shared/ndjson/record.ts';
import { createKeyLock } from '../services/key-lock.ts';
import { ExitError } from './exit-error.ts';
import { endsImport, type Written } from './import-writer.ts';

export interface ImportCounts {
  stored: number;
  skipped: number;
  refused: number;
}

export interface ImportRun {
  lines: AsyncGenerator<Line>;
  write: (record: ImportRecord) => Promise<Written>;
  concurrency: number;
  /** Called for each line that is broken or whose document the server refused. */
  onRefused: (line: number, message: string) => void;
  onProgress: (done: number, bytes: number) => void;
}

/**
 * Writes the documents of all lines, `concurrency` at a time, and goes on after a line that fails.
 * Throws an ExitError when the rest would fail too: the server is gone or full, the password wrong.
 */
export async function runImport(run: ImportRun): Promise<ImportCounts> {
  const { lines, write, concurrency, onRefused, onProgress } = run;
  const counts: ImportCounts = { stored: 0, skipped: 0, refused: 0 };
  // Of several lines with one key the last must win, so they must not overtake each other.
  const withLock = createKeyLock();
  let stopped = false;

  async function work(): Promise<void> {
    for (let next = await lines.next(); !next.done && !stopped; next = await lines.next()) {
      const { number, bytes, end } = next.value;
      if (bytes !== undefined && isBlank(bytes)) {
        continue;
      }
      try {
        const record = parseLine(bytes);
        counts[await withLock(record.key, () => write(record))]++;
      } catch (error) {
        if (!(error instanceof BrokenLineError) && endsImport(error)) {
          stopped = true;
          throw error;
        }
        counts.refused++;
        onRefused(number, error instanceof Error ? error.message : String(error));
      }
      onProgress(counts.stored + counts.skipped, end);
    }
  }

  try {
    await Promise.all(Array.from({ length: concurrency }, work));
  } catch (error) {
    if (error instanceof ExitError) {
      const message = `${error.message} The import stopped after ${counts.stored} documents.`;
      throw new ExitError(error.exitCode, message, { cause: error });
    }
    throw error;
  }
  return counts;
}

function parseLine(bytes: Uint8Array | undefined): ImportRecord {
  if (bytes === undefined) {
    throw new BrokenLineError('the line is too long; see --max-document-bytes.');
  }
  return parseRecord(bytes);
}
