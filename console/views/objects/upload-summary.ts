import { countOf, formatBytes, formatCount } from '../../parts/amounts.ts';
import { isOver, type Upload, type UploadState } from './upload-queue.ts';

/** All uploads in one sentence. */
export function summaryOf(uploads: readonly Upload[]): string {
  const of = (kind: UploadState['kind']): readonly Upload[] =>
    uploads.filter(({ state }) => state.kind === kind);
  const done = of('done');
  const waiting = uploads.filter(({ state }) => !isOver(state)).length - of('exists').length;
  const parts = [
    waiting > 0 ? `${countOf(waiting, 'file')} on the way` : '',
    done.length > 0
      ? `${countOf(done.length, 'file')} uploaded (${formatBytes(bytesOf(done))})`
      : '',
    count(of('exists').length, 'to be decided on'),
    count(of('failed').length, 'failed'),
    count(of('cancelled').length, 'cancelled'),
    count(of('skipped').length, 'skipped'),
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `${parts.join(', ')}.`;
}

/**
 * What is read out while bytes leave: not each of hundreds of steps, but quarters, what is asked, and the end.
 */
export function milestoneOf(uploads: readonly Upload[]): string {
  const asked = uploads.filter(({ state }) => state.kind === 'exists').length;
  if (asked > 0) return `${countOf(asked, 'file')} there already: replace or skip.`;
  if (uploads.every(({ state }) => isOver(state))) return summaryOf(uploads);
  const counted = uploads.filter(({ state }) => state.kind === 'done' || !isOver(state));
  const total = bytesOf(counted);
  const sent = counted.reduce((sum, { state, size }) => sum + sentOf(state, size), 0);
  const quarter = total === 0 ? 0 : Math.floor((sent / total) * 4) * 25;
  return `Uploading ${countOf(counted.length, 'file')}: ${quarter} percent.`;
}

export function percentOf(sent: number, size: number): number {
  return size === 0 ? 100 : Math.floor((sent / size) * 100);
}

function sentOf(state: UploadState, size: number): number {
  if (state.kind === 'done') return size;
  return state.kind === 'sending' ? state.sent : 0;
}

function bytesOf(uploads: readonly Upload[]): number {
  return uploads.reduce((sum, { size }) => sum + size, 0);
}

function count(amount: number, what: string): string {
  return amount === 0 ? '' : `${formatCount(amount)} ${what}`;
}
