import { type AcknowledgedText, checkFsync } from './check-fsync.ts';
import { readLogPayload } from './level-log.ts';
import { type Call, parseCalls } from './strace-calls.ts';
import { streamsOf } from './traced-stream.ts';

const INCOMING = /\/blobs\/incoming\/[0-9a-f]+$/;
const BLOB = /\/blobs\/[0-9a-f]{2}\/[0-9a-f]+$/;
const LOG = /\/\d+\.log$/;
const SYNCS = new Set(['fsync', 'fdatasync']);

/**
 * Proves from a trace of a new server that one large upload came to disk before its index entry, and
 * that before the answer: write of a temporary file, its sync, its rename, the sync of the folder that
 * it is in now and of the one above, which is new too; then LevelDB's log. Pure; one line for each
 * violation. `bytes` are those of the object, one character each.
 */
export function checkUploadOrder(
  trace: string,
  entry: AcknowledgedText,
  bytes: string,
): readonly string[] {
  const calls = parseCalls(trace);
  const file = [...streamsOf(calls, INCOMING)].find(([, { data }]) => data === bytes);
  if (!file) return ['no temporary file has the bytes'];
  const [temporary, stream] = file;
  const logged = logWrite(calls, entry.text);
  if (!logged) return ['the entry is not in the log'];
  const rename = calls.find(({ name, data }) => name === 'rename' && data === temporary);
  if (!rename || !BLOB.test(rename.path)) return ['the temporary file is not renamed'];

  const folder = rename.path.slice(0, rename.path.lastIndexOf('/'));
  const steps: readonly [what: string, call: Call | undefined, path: string][] = [
    ['the temporary file', stream.callAt(bytes.length - 1), temporary],
    ['its folder', rename, folder],
  ];
  return [
    ...steps.flatMap(([what, after, path], index) => {
      const before = index === 0 ? rename : logged;
      return hasSync(calls, path, after, before) ? [] : [`${what} is not synced in time`];
    }),
    ...(hasSync(calls, folder.slice(0, -3), stream.callAt(0), logged)
      ? []
      : ['the folder of its folder is not synced in time']),
    ...checkFsync(trace, [entry]),
  ];
}

/** Successful syncs, of whatever file, that began after the answer before and ended before this one. */
export function syncsBetween(trace: string, before: string, marker: string): readonly Call[] {
  const calls = parseCalls(trace);
  const answer = (text: string): Call | undefined =>
    calls.find(({ path, data }) => path.startsWith('socket:') && data.includes(text));
  const [from, to] = [answer(before), answer(marker)];
  if (!from || !to) throw new Error('The answers are not in the trace.');
  return calls.filter(
    ({ name, result, begin, end }) =>
      SYNCS.has(name) && result === 0 && begin > from.end && end < to.begin,
  );
}

function hasSync(calls: readonly Call[], path: string, after: Call | undefined, before: Call) {
  return calls.some(
    (call) =>
      SYNCS.has(call.name) &&
      call.result === 0 &&
      call.path === path &&
      call.begin > (after?.end ?? Number.POSITIVE_INFINITY) &&
      call.end < before.begin,
  );
}

/** The call that wrote the first byte of a text to a log. */
function logWrite(calls: readonly Call[], text: string): Call | undefined {
  for (const stream of streamsOf(calls, LOG).values()) {
    const payload = readLogPayload(stream.data);
    const at = payload.data.indexOf(text);
    if (at >= 0) return stream.callAt(payload.offsetAt(at));
  }
  return undefined;
}
