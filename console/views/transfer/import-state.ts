import { signal } from '@preact/signals';
import { session } from '../../session.ts';
import type { Trouble } from './batch-retries.ts';
import type { CheckedLines } from './check-lines.ts';
import type { Phase } from './import-control.ts';
import type { ImportCounts } from './import-counts.ts';

/** How far the check or the import is, whichever view is shown. */

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

let ended = new AbortController();

/** Nothing of it is shown to who signs in next. */
session.subscribe(resetImport);

/** Back to the choice of a file. */
export function resetImport(): void {
  begin().show({ kind: 'idle' });
}

export interface Begun {
  /** Aborted when this is over. */
  readonly over: AbortSignal;
  /** Of what is over nothing is shown any more. */
  readonly show: (state: ImportState) => void;
}

/** Ends what was under way. */
export function begin(): Begun {
  ended.abort();
  ended = new AbortController();
  const { signal: over } = ended;
  return {
    over,
    show(state) {
      if (!over.aborted) importState.value = state;
    },
  };
}

/** A file that was changed or removed since it was chosen cannot be read on. */
export function readable(error: unknown): unknown {
  if (!(error instanceof DOMException) || error.name === 'AbortError') return error;
  return new Error('The file cannot be read, or has changed: choose it again.', { cause: error });
}
