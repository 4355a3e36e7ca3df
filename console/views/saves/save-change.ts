import { keyOfUrl } from '../../api/object-path.ts';

/** The version of a save that a change is of. */
export interface SaveChange {
  /** 11 digits. */
  readonly slot: string;
  readonly version: number;
}

export interface SaveFolder {
  readonly bucket: string;
  readonly prefix: string;
  readonly n: number;
}

/** What a change's url, `/BUCKET/PREFIX/ds/N/data/SLOT-VERSION`, names; undefined for what lies elsewhere. */
export function saveChange(url: string, { bucket, prefix, n }: SaveFolder): SaveChange | undefined {
  const folder = `${prefix}/ds/${n}/data/`;
  const key = keyOfUrl(url, bucket);
  if (!key?.startsWith(folder)) return undefined;
  const [, slot, version] = /^(\d{11})-(\d{5})$/.exec(key.slice(folder.length)) ?? [];
  return slot === undefined ? undefined : { slot, version: Number(version) };
}
