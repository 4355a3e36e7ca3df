import { parseSlot } from './slot-number.ts';

/** What of the saves is shown, as the fragment tells it. What is undefined is the bucket's own, or nothing. */
export interface SavePlace {
  readonly bucket?: string | undefined;
  readonly prefix?: string | undefined;
  readonly n: number;
  /** The list begins behind this slot. */
  readonly after?: string | undefined;
  readonly slot?: string | undefined;
  readonly version?: number | undefined;
  /** The version that the shown one is compared with. */
  readonly compare?: number | undefined;
}

const DEFAULT_N = 1;
const MAX_N = 999_999_999;
const MAX_VERSION = 99_999;

export function readPlace(query: ReadonlyMap<string, string>): SavePlace {
  const slot = (name: string): string | undefined => parseSlot(query.get(name) ?? '');
  return {
    bucket: query.get('bucket'),
    prefix: query.get('prefix'),
    n: whole(query.get('n'), MAX_N) ?? DEFAULT_N,
    after: slot('after'),
    slot: slot('slot'),
    version: whole(query.get('version'), MAX_VERSION),
    compare: whole(query.get('compare'), MAX_VERSION),
  };
}

export function placeQuery(place: SavePlace): Record<string, string | undefined> {
  return {
    bucket: place.bucket,
    prefix: place.prefix,
    n: place.n === DEFAULT_N ? undefined : String(place.n),
    after: place.after,
    slot: place.slot,
    version: place.version?.toString(),
    compare: place.compare?.toString(),
  };
}

export function parseN(typed: string): number | undefined {
  return whole(typed.trim(), MAX_N);
}

function whole(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= max ? number : undefined;
}
