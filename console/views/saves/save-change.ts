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
  if (!url.startsWith(`/${bucket}/`)) return undefined;
  const folder = `${bucket}/${prefix}/ds/${n}/data/`;
  const path = decoded(url.slice(1));
  if (!path?.startsWith(folder)) return undefined;
  const [, slot, version] = /^(\d{11})-(\d{5})$/.exec(path.slice(folder.length)) ?? [];
  return slot === undefined ? undefined : { slot, version: Number(version) };
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
