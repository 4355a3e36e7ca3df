import type { ObjectEntry, ObjectState } from './object-ledger.ts';
import type { ReadAnswer } from './upload-client.ts';

/** All that a restarted server has of what uploaders sent, and the files that it keeps. */
export interface ObjectSurvey {
  /** The answer to a GET of each key. */
  readonly answers: ReadonlyMap<string, ReadAnswer>;
  /** Files below the folder of the blobs, by their path, with their MD5. */
  readonly files: ReadonlyMap<string, string>;
}

/** Objects above this lie in files of their own. */
export const INLINE_BYTES = 65_536;

/**
 * Compares it with what the uploaders were told. Pure; one line for each violation, none when all is
 * well.
 */
export function checkObjects(
  entries: ReadonlyMap<string, ObjectEntry>,
  survey: ObjectSurvey,
): string[] {
  return [
    ...[...entries].flatMap(([key, entry]) => checkEntry(key, entry, survey.answers.get(key))),
    ...checkFiles(survey),
  ];
}

/** What an answer shows: null for no object, undefined where it is no whole object. */
export function stateOf(answer: ReadAnswer | undefined): ObjectState | null | undefined {
  if (answer?.status === 404) return null;
  if (answer?.status !== 200 || !answer.isWhole || answer.etag !== answer.md5) return undefined;
  return { md5: answer.md5, size: answer.size };
}

function checkEntry(
  key: string,
  { settled, pending }: ObjectEntry,
  answer: ReadAnswer | undefined,
): string[] {
  const found = stateOf(answer);
  if (found === undefined) {
    const bytes = `${answer?.size} bytes${answer?.isWhole ? '' : ', broken off,'} of MD5 ${answer?.md5}`;
    return [`${key}: torn: status ${answer?.status}, ETag ${answer?.etag}, ${bytes}`];
  }
  if (isSame(found, settled) || (pending !== undefined && isSame(found, pending))) return [];
  const unanswered = pending === undefined ? '' : `, with ${describe(pending)} under way`;
  return [`${key}: lost: acknowledged as ${describe(settled)}${unanswered}, is ${describe(found)}`];
}

/** The files are the bytes of the large objects, one each, and nothing else. */
function checkFiles({ answers, files }: ObjectSurvey): string[] {
  const missing = [...answers]
    .map(([key, answer]) => ({ key, state: stateOf(answer) }))
    .filter(({ state }) => state && state.size > INLINE_BYTES);
  const left = [...files].filter(([, md5]) => {
    const at = missing.findIndex(({ state }) => state?.md5 === md5);
    if (at >= 0) missing.splice(at, 1);
    return at < 0;
  });
  return [
    ...left.map(([file]) => `${file}: left behind: no object has these bytes`),
    ...missing.map(({ key }) => `${key}: no file has its bytes`),
  ];
}

function isSame(found: ObjectState | null, state: ObjectState | null): boolean {
  return found?.md5 === state?.md5 && found?.size === state?.size;
}

function describe(state: ObjectState | null): string {
  return state === null ? 'absent' : `${state.size} bytes of MD5 ${state.md5}`;
}
