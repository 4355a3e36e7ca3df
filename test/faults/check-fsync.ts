import { readLogPayload } from './level-log.ts';
import { type Call, parseCalls } from './strace-calls.ts';
import { streamsOf, type TracedStream } from './traced-stream.ts';

/** A write that a client saw acknowledged with 2xx. */
export interface AcknowledgedText {
  /** As it is stored: ASCII, like no other text of the run. */
  readonly text: string;
  /** A part of it that also the answer shows, and no other answer. */
  readonly marker: string;
}

const LOG = /\/\d+\.log$/;
const SOCKET = /^socket:/;
const SYNCS = new Set(['fsync', 'fdatasync']);

/**
 * Proves for each acknowledged text from a trace of the server: it was written to LevelDB's log,
 * then a sync of that file began and succeeded, and only then the answer was written to the
 * client's socket. Pure; one line for each violation.
 */
export function checkFsync(trace: string, acknowledged: readonly AcknowledgedText[]): string[] {
  const calls = parseCalls(trace);
  const logs = [...streamsOf(calls, LOG)].map(([path, stream]) => ({
    path,
    stream,
    payload: readLogPayload(stream.data),
  }));
  const answers = [...streamsOf(calls, SOCKET).values()];
  const syncs = calls.filter((call) => SYNCS.has(call.name) && call.result === 0);

  return acknowledged.flatMap(({ text, marker }) => {
    const answered = findAnswer(answers, marker);
    if (!answered) return [`${marker}: its answer is not in the trace`];
    const log = logs.find(({ payload }) => payload.data.includes(text));
    if (!log) return [`${marker}: answered with 2xx, but never written to the log`];
    const last = log.payload.data.indexOf(text) + text.length - 1;
    const written = log.stream.callAt(log.payload.offsetAt(last));
    const isSynced = syncs.some(
      (sync) => sync.path === log.path && sync.begin > written.end && sync.end < answered.begin,
    );
    if (isSynced) return [];
    return [
      `${marker}: answered on line ${answered.begin + 1}, written on line ${written.end + 1}, and no sync that began and succeeded in between`,
    ];
  });
}

/** The call that wrote the status line of the answer; over a websocket, the answer itself. */
function findAnswer(answers: readonly TracedStream[], marker: string): Call | undefined {
  for (const stream of answers) {
    const at = stream.data.indexOf(marker);
    if (at === -1) continue;
    const status = stream.data.lastIndexOf('HTTP/1.1 2', at);
    return stream.callAt(status === -1 ? at : status);
  }
  return undefined;
}
