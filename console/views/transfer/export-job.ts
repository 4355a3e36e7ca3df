import { signal } from '@preact/signals';
import { KeystowClientError } from '../../../shared/client/index.ts';
import { type ExportAnswer, openExport } from '../../api/transfer.ts';
import { countOf } from '../../parts/amounts.ts';
import { isAbort } from '../../parts/explain.ts';
import { announce } from '../../parts/toasts.tsx';
import { session } from '../../session.ts';
import { exportName } from './export-name.ts';
import { openSaveTarget, type SaveTarget } from './save-target.ts';

/** The export that goes on, whichever view is shown. */

export interface Exported {
  readonly documents: number;
  readonly bytes: number;
}

export type ExportState =
  | { readonly kind: 'idle' | 'cancelled' }
  | ({ readonly kind: 'running' } & Exported)
  | ({ readonly kind: 'done'; readonly name: string; readonly revision: number } & Exported)
  | { readonly kind: 'failed'; readonly error: unknown };

export const exportState = signal<ExportState>({ kind: 'idle' });

const NEWLINE = 0x0a;
const SHOWN_EVERY_MS = 100;

let running: AbortController | undefined;

session.subscribe(() => {
  running?.abort();
  running = undefined;
  exportState.value = { kind: 'idle' };
});

export async function startExport(prefix: string): Promise<void> {
  const cancelled = new AbortController();
  running?.abort();
  running = cancelled;
  const before = exportState.value;
  const show = (state: ExportState): void => {
    if (running === cancelled) exportState.value = state;
  };
  let target: SaveTarget;
  try {
    target = await openSaveTarget(exportName(prefix, new Date()));
  } catch (error) {
    // Whoever closes the question for a file wants none.
    return show(isAbort(error) ? before : { kind: 'failed', error: notWritten(error) });
  }
  show({ kind: 'running', documents: 0, bytes: 0 });
  try {
    const answer = await openExport(prefix, cancelled.signal);
    const exported = await save(answer, target, cancelled.signal, show);
    show({ kind: 'done', name: target.name, revision: answer.revision, ...exported });
    announce({ text: `Exported ${countOf(exported.documents, 'document')}.` });
  } catch (error) {
    const isCancelled = cancelled.signal.aborted;
    // What more the server would send goes nowhere.
    cancelled.abort();
    await target.discard().catch(() => undefined);
    show(isCancelled ? { kind: 'cancelled' } : { kind: 'failed', error });
  }
}

export function cancelExport(): void {
  running?.abort();
}

async function save(
  { body }: ExportAnswer,
  target: SaveTarget,
  cancelled: AbortSignal,
  show: (state: ExportState) => void,
): Promise<Exported> {
  const reader = body.getReader();
  let [documents, bytes, last, shownAt] = [0, 0, NEWLINE, performance.now()];
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      cancelled.throwIfAborted();
      throw brokenOff(documents, error);
    });
    if (done) break;
    await target.write(value).catch((error) => {
      throw notWritten(error);
    });
    documents += countLines(value);
    bytes += value.byteLength;
    last = value.at(-1) ?? last;
    cancelled.throwIfAborted();
    if (performance.now() - shownAt < SHOWN_EVERY_MS) continue;
    shownAt = performance.now();
    show({ kind: 'running', documents, bytes });
  }
  if (last !== NEWLINE) throw brokenOff(documents);
  await target.finish().catch((error) => {
    throw notWritten(error);
  });
  return { documents, bytes };
}

function countLines(chunk: Uint8Array): number {
  let count = 0;
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

function brokenOff(documents: number, cause?: unknown): KeystowClientError {
  const after = `after ${countOf(documents, 'document')}`;
  const message = `The connection broke off ${after}, so no file was kept.`;
  return new KeystowClientError('network', message, { cause });
}

function notWritten(cause: unknown): Error {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
  return new Error(`The file could not be written: ${reason}. Choose another place.`, { cause });
}
