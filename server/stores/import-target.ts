import type { KvEntry, KvRange } from './kv-store.ts';

/** An empty store that the entries of another one, or of a backup, are copied into, with their versions. */
export interface ImportTarget {
  /**
   * The last key that an earlier copy of the same source wrote; undefined at the beginning, before which
   * `checkEmpty` is asked. Rejects as that does, or as the driver does for a store that has other entries in it.
   */
  begin(source: string, checkEmpty?: () => Promise<void>): Promise<string | undefined>;
  /** Writes entries, in byte order of their keys, and remembers the last one with them. */
  write(entries: readonly KvEntry[]): Promise<void>;
  /** What was written, as the source gives it. */
  range(range: KvRange): AsyncIterable<KvEntry[]>;
  /** From now on the store can be served from; its next number follows this one, and so does its change log. */
  finish(sequence: number): Promise<void>;
  close(): Promise<void>;
}

/** What `MIGRATION_KEY` holds. */
export interface ImportProgress {
  readonly source: string;
  readonly after?: string | undefined;
}

export function encodeProgress(progress: ImportProgress): Buffer {
  return Buffer.from(JSON.stringify(progress));
}

export function decodeProgress({ value }: KvEntry): ImportProgress {
  return JSON.parse(value.toString());
}
