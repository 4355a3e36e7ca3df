import type { Call } from './strace-calls.ts';

/** What was written to one file or socket, whole, and which call wrote which byte of it. */
export interface TracedStream {
  readonly data: string;
  callAt(offset: number): Call;
}

const WRITES = new Set(['write', 'writev', 'sendto', 'sendmsg']);

/** Streams of the paths that match. Throws for a call that writes elsewhere than at the end. */
export function streamsOf(calls: readonly Call[], path: RegExp): Map<string, TracedStream> {
  const byPath = new Map<string, Call[]>();
  for (const call of calls) {
    if (!path.test(call.path) || call.data === '') continue;
    if (!WRITES.has(call.name)) throw new Error(`${call.name} to ${call.path}: not understood.`);
    byPath.set(call.path, [...(byPath.get(call.path) ?? []), call]);
  }
  return new Map([...byPath].map(([name, writes]) => [name, toStream(writes)]));
}

function toStream(writes: readonly Call[]): TracedStream {
  const pieces: { end: number; call: Call }[] = [];
  let data = '';
  for (const call of writes) {
    // A short write takes only the beginning; a failed one nothing.
    data += call.data.slice(0, Math.max(0, call.result ?? call.data.length));
    pieces.push({ end: data.length, call });
  }
  return {
    data,
    callAt(offset) {
      const piece = pieces.find(({ end }) => offset < end);
      if (!piece) throw new RangeError(`The stream has only ${data.length} bytes.`);
      return piece.call;
    },
  };
}
