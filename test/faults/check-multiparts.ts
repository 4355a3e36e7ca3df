import { INLINE_BYTES } from './check-objects.ts';
import type { MultipartLedger, OpenUpload, PartState, PartsState } from './multipart-ledger.ts';
import { md5Of } from './upload-client.ts';

/** All that a restarted server has of uploads in parts, and the files that it keeps. */
export interface MultipartSurvey {
  /** Those that it lists, with the parts that it lists. */
  readonly uploads: ReadonlyMap<string, OpenUpload>;
  /** The answer to a GET of each key. */
  readonly objects: ReadonlyMap<string, FoundObject>;
  /** Files below the folder of the blobs, by their path, with their MD5. */
  readonly files: ReadonlyMap<string, string>;
}

export interface FoundObject {
  readonly status: number;
  readonly etag: string | undefined;
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

type Ledger = Pick<MultipartLedger, 'objects' | 'uploads' | 'pending'>;

/**
 * Compares it with what the clients were told. Pure; one line for each violation, none when all is well.
 */
export function checkMultiparts(ledger: Ledger, survey: MultipartSurvey): string[] {
  const keys = new Set([...ledger.objects.keys(), ...ledger.pending.keys()]);
  return [
    ...[...keys].flatMap((key) => checkObject(key, ledger, survey)),
    ...[...ledger.uploads.values()].flatMap((upload) => checkUpload(upload, ledger, survey)),
    ...checkUnknown(ledger, survey),
    ...checkFiles(ledger, survey),
  ];
}

/** What is there: null for no object, undefined where it is none of those that it may be. */
export function foundState(
  key: string,
  { objects, pending }: Ledger,
  found: FoundObject | undefined,
): PartsState | null | undefined {
  const call = pending.get(key);
  const states = [objects.get(key) ?? null];
  if (call?.kind === 'complete') states.push(call.object);
  if (call?.kind === 'delete') states.push(null);
  return states.find((state) => isState(found, state));
}

function isState(found: FoundObject | undefined, state: PartsState | null): boolean {
  if (state === null) return found?.status === 404;
  if (found?.status !== 200 || !found.isWhole || found.etag !== state.etag) return false;
  let begin = 0;
  for (const { md5, size } of state.parts) {
    if (md5Of(found.bytes.subarray(begin, begin + size)) !== md5) return false;
    begin += size;
  }
  return begin === found.bytes.length;
}

function checkObject(key: string, ledger: Ledger, { uploads, objects }: MultipartSurvey): string[] {
  const found = objects.get(key);
  const state = foundState(key, ledger, found);
  if (state === undefined) {
    const expected = ledger.objects.get(key)?.etag ?? 'none';
    const is = `status ${found?.status}, ETag ${found?.etag}, ${found?.bytes.length} bytes`;
    return [`${key}: lost or torn: acknowledged was ${expected}, there is ${is}`];
  }
  // Completed or not, never both.
  const call = ledger.pending.get(key);
  const isDone = call?.kind === 'complete' && state?.etag === call.object.etag;
  return isDone && uploads.has(call.id) ? [`${key}: completed, but ${call.id} is still open`] : [];
}

function checkUpload(upload: OpenUpload, ledger: Ledger, survey: MultipartSurvey): string[] {
  const { key, id, parts } = upload;
  const call = ledger.pending.get(key);
  const isItsOwn = call !== undefined && 'id' in call && call.id === id;
  const found = survey.uploads.get(id);
  if (!found) {
    if (isItsOwn && call.kind === 'abort') return [];
    const isCompleted =
      isItsOwn && call.kind === 'complete' && isState(survey.objects.get(key), call.object);
    return isCompleted ? [] : [`${key}: the open upload ${id} is lost`];
  }
  const numbers = new Set([...parts.keys(), ...found.parts.keys()]);
  return [...numbers].flatMap((number) => {
    const is = found.parts.get(number);
    const isPending =
      isItsOwn && call.kind === 'part' && call.number === number && isSame(is, call.part);
    if (isPending || isSame(is, parts.get(number))) return [];
    return [
      `${key}: part ${number} of ${id} is ${describe(is)}, not ${describe(parts.get(number))}`,
    ];
  });
}

/** Uploads whose beginning had no answer: at most one for a key, and empty. */
function checkUnknown({ uploads, pending }: Ledger, survey: MultipartSurvey): string[] {
  const begun = new Set(
    [...pending].filter(([, { kind }]) => kind === 'begin').map(([key]) => key),
  );
  return [...survey.uploads.values()].flatMap(({ key, id, parts }) => {
    if (uploads.has(id) || (begun.delete(key) && parts.size === 0)) return [];
    return [`${key}: nobody began the upload ${id}, or it was ended`];
  });
}

/** The files are the large parts of objects and of open uploads, one each, and nothing else. */
function checkFiles(ledger: Ledger, { uploads, objects, files }: MultipartSurvey): string[] {
  const pieces = [
    ...[...objects].flatMap(([key, found]) =>
      (foundState(key, ledger, found)?.parts ?? []).map((part) => ({ of: key, part })),
    ),
    ...[...uploads.values()].flatMap(({ key, id, parts }) =>
      [...parts.values()].map((part) => ({ of: `${key}, upload ${id}`, part })),
    ),
  ];
  const missing = pieces.filter(({ part }) => part.size > INLINE_BYTES);
  const left = [...files].filter(([, md5]) => {
    const at = missing.findIndex(({ part }) => part.md5 === md5);
    if (at >= 0) missing.splice(at, 1);
    return at < 0;
  });
  return [
    ...left.map(([file]) => `${file}: left behind: no part has these bytes`),
    ...missing.map(({ of }) => `${of}: no file has the bytes of a part`),
  ];
}

function isSame(one: PartState | undefined, other: PartState | undefined): boolean {
  return one?.md5 === other?.md5 && one?.size === other?.size;
}

function describe(part: PartState | undefined): string {
  return part ? `${part.size} bytes of MD5 ${part.md5}` : 'absent';
}
