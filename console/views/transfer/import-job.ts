import { signal } from '@preact/signals';
import { KeystowClientError } from '../../../shared/client/index.ts';
import { isStoredSince, readRevision, sendMembers } from '../../api/transfer.ts';
import { announce } from '../../parts/toasts.tsx';
import { session } from '../../session.ts';
import { type ConflictRule, createBatchWriter, mayHaveStored } from './batch-writer.ts';
import { toBatches } from './batches.ts';
import { type CheckedLines, checkLines } from './check-lines.ts';
import { countOf } from './count-of.ts';
import { KIND_BYTES, whyNoLines } from './file-kind.ts';
import { createImportControl, type ImportControl, type Phase } from './import-control.ts';
import { createImportCounts, type ImportCounts } from './import-counts.ts';
import { runImport } from './import-run.ts';
import { chunksOf, readRecords } from './read-records.ts';
import { createStopwatch } from './stopwatch.ts';

/** The import that goes on, whichever view is shown. */

export type ImportState = Idle | Checking | Checked | Writing | Ended;

interface Idle {
  readonly kind: 'idle';
  readonly error?: unknown;
}

export interface Checking {
  readonly kind: 'checking';
  readonly file: File;
  /** Bytes. */
  readonly done: number;
  readonly documents: number;
}

export interface Checked {
  readonly kind: 'checked';
  readonly file: File;
  readonly checked: CheckedLines;
}

export interface Writing {
  readonly kind: 'writing';
  readonly file: File;
  /** In which there is something: as many as the check has found. */
  readonly lines: number;
  readonly counts: ImportCounts;
  /** Bytes of the file. */
  readonly done: number;
  readonly elapsedMs: number;
  readonly phase: Phase;
  readonly trouble?: Trouble | undefined;
}

/** Why a batch is tried again by itself, or waits to be told so. */
export interface Trouble {
  readonly error: unknown;
  readonly asks: boolean;
}

export interface Ended {
  readonly kind: 'ended';
  readonly file: File;
  readonly counts: ImportCounts;
  readonly isWhole: boolean;
  /** Why it could not go on. */
  readonly error?: unknown;
  /** Whether the server may have stored a batch that it did not answer. */
  readonly isUncertain: boolean;
}

export const importState = signal<ImportState>({ kind: 'idle' });

const SHOWN_EVERY_MS = 100;
/** Before a failed batch is tried again by itself. After the last of them the person is asked. */
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];

let ended = new AbortController();
let control: ImportControl | undefined;

session.subscribe(resetImport);

export function resetImport(): void {
  begin();
  importState.value = { kind: 'idle' };
}

export function pauseImport(): void {
  control?.pause();
}

export function resumeImport(): void {
  control?.resume();
}

export function stopImport(): void {
  control?.stop();
}

/** The dry run: reads and judges all lines, and sends nothing. */
export async function checkFile(file: File): Promise<void> {
  const over = begin();
  const show = showing(over);
  let shownAt = performance.now();
  show({ kind: 'checking', file, done: 0, documents: 0 });
  try {
    const start = await file.slice(0, KIND_BYTES).arrayBuffer();
    const problem = whyNoLines(new Uint8Array(start));
    if (problem) throw new Error(problem);
    const lines = readRecords(chunksOf(file.stream()));
    const checked = await checkLines(lines, (done, documents) => {
      over.throwIfAborted();
      if (performance.now() - shownAt < SHOWN_EVERY_MS) return;
      shownAt = performance.now();
      show({ kind: 'checking', file, done, documents });
    });
    show({ kind: 'checked', file, checked });
  } catch (error) {
    show({ kind: 'idle', error: readable(error) });
  }
}

/** `lines` are how many there are. */
export async function startImport(file: File, lines: number, rule: ConflictRule): Promise<void> {
  const over = begin();
  const show = showing(over);
  const counts = createImportCounts();
  const watch = createStopwatch();
  let done = 0;
  let trouble: Trouble | undefined;
  let isUncertain = false;
  const showProgress = (): void => {
    const { phase } = mine;
    const elapsedMs = watch.elapsed();
    show({
      kind: 'writing',
      file,
      lines,
      counts: counts.all(),
      done,
      elapsedMs,
      phase,
      trouble,
    });
  };
  const mine = createImportControl((phase) => {
    watch.run(phase !== 'paused');
    showProgress();
  });
  control = mine;
  over.addEventListener('abort', () => mine.stop(), { once: true });

  async function again(error: unknown, attempt: number): Promise<void> {
    isUncertain ||= mayHaveStored(error);
    if (mine.phase === 'stopping') throw error;
    const wait = isPassing(error) ? RETRY_MS[attempt] : undefined;
    trouble = { error, asks: wait === undefined };
    showProgress();
    await mine.decision(wait);
    // TypeScript does not know that it changes meanwhile.
    if ((mine.phase as Phase) === 'stopping') throw error;
    trouble = undefined;
    showProgress();
  }

  showProgress();
  try {
    const revision = await readRevision(over);
    const isWhole = await runImport({
      batches: toBatches(readRecords(chunksOf(file.stream()))),
      write: createBatchWriter({
        rule,
        send: sendMembers,
        isOurs: (member) => isStoredSince(revision, member),
        again,
      }),
      mayGoOn: () => mine.mayGoOn(),
      onWritten(batch, written) {
        counts.add(batch, written);
        done = batch.end;
        isUncertain = false;
        showProgress();
      },
    });
    show({ kind: 'ended', file, counts: counts.all(), isWhole, isUncertain });
    const { created, replaced } = counts.all();
    if (!over.aborted) announce({ text: `Imported ${countOf(created + replaced, 'document')}.` });
  } catch (error) {
    show({
      kind: 'ended',
      file,
      counts: counts.all(),
      isWhole: false,
      isUncertain,
      error: readable(error),
    });
  }
}

/** Ends what was under way; the signal is aborted when this is over, too. */
function begin(): AbortSignal {
  ended.abort();
  ended = new AbortController();
  control = undefined;
  return ended.signal;
}

/** What is over shows nothing any more. */
function showing(over: AbortSignal): (state: ImportState) => void {
  return (state) => {
    if (!over.aborted) importState.value = state;
  };
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof KeystowClientError)) return false;
  return (
    error.code === 'network' ||
    error.code === 'timeout' ||
    [429, 502, 503, 504].includes(error.status)
  );
}

/** A file that was changed or removed since it was chosen cannot be read on. */
function readable(error: unknown): unknown {
  if (!(error instanceof DOMException) || error.name === 'AbortError') return error;
  return new Error('The file cannot be read, or has changed: choose it again.', { cause: error });
}
