import type { SaveVersion } from '../../../shared/client/index.ts';

/** A slot's time line, the newest first: what is kept, and what is missing in between. */

export interface KeptEntry {
  readonly kind: 'kept';
  readonly save: SaveVersion;
  /** The kept version before it; undefined for the oldest. */
  readonly since?: {
    readonly version: number;
    readonly sizeChange: number;
    readonly ms: number;
  };
  /** How far the next older entry is below it. */
  readonly gapPx: number;
}

export interface MissingEntry {
  readonly kind: 'missing';
  readonly first: number;
  readonly last: number;
  /** Below the oldest that is kept, between two, or above the newest. */
  readonly where: 'below' | 'between' | 'above';
}

export type TimeLineEntry = KeptEntry | MissingEntry;

const MIN_GAP_PX = 6;
const MAX_GAP_PX = 96;
const SECONDS_OF_MIN_GAP = 10;
const SECONDS_OF_MAX_GAP = 90 * 86_400;

/** `kept` as the server lists them, the oldest first; `latest` is the highest number that was ever saved. */
export function timeLine(kept: readonly SaveVersion[], latest: number): TimeLineEntry[] {
  const entries: TimeLineEntry[] = [];
  const missing = (first: number, last: number, where: MissingEntry['where']): void => {
    if (first <= last) entries.push({ kind: 'missing', first, last, where });
  };
  missing((kept.at(-1)?.version ?? 0) + 1, latest, 'above');
  for (const [index, save] of [...kept.entries()].reverse()) {
    const before = kept[index - 1];
    if (!before) {
      entries.push({ kind: 'kept', save, gapPx: MIN_GAP_PX });
      missing(1, save.version - 1, 'below');
      continue;
    }
    const ms = Date.parse(save.time) - Date.parse(before.time);
    const since = { version: before.version, sizeChange: save.size - before.size, ms };
    entries.push({ kind: 'kept', save, since, gapPx: gapPx(ms) });
    missing(before.version + 1, save.version - 1, 'between');
  }
  return entries;
}

/** Of what is missing the last. */
export function newestOf(entry: TimeLineEntry): number {
  return entry.kind === 'kept' ? entry.save.version : entry.last;
}

/** Where on the line it begins that is no newer than this version. */
export function placeOf(version: number, entries: readonly TimeLineEntry[]): number {
  const at = entries.findIndex((entry) => newestOf(entry) <= version);
  return at < 0 ? entries.length : at;
}

/** Each tenfold pause is as much longer as the last: seconds and months fit on one line. */
export function gapPx(ms: number): number {
  const seconds = Math.max(SECONDS_OF_MIN_GAP, ms / 1_000);
  const part =
    Math.log(seconds / SECONDS_OF_MIN_GAP) / Math.log(SECONDS_OF_MAX_GAP / SECONDS_OF_MIN_GAP);
  return Math.round(MIN_GAP_PX + Math.min(1, part) * (MAX_GAP_PX - MIN_GAP_PX));
}

/** Why they are not there, as far as it can be known. */
export function describeMissing(
  { first, last, where }: MissingEntry,
  keepVersions: number | undefined,
): string {
  const [which, are] =
    first === last ? [`Version ${first}`, 'is'] : [`Versions ${first} to ${last}`, 'are'];
  if (where === 'between') return `${which} ${are} missing: deleted.`;
  if (where === 'above') return `${which} ${are} missing: saved once, and deleted since.`;
  if (keepVersions === undefined) {
    return `${which} ${are} not here: deleted, or the slot began with version ${last + 1}.`;
  }
  const kept = keepVersions === 1 ? 'the newest alone' : `the newest ${keepVersions}`;
  return `${which} ${are} not kept: of each slot this bucket keeps ${kept}.`;
}
