/** The ordered key-value contract, which every driver implements and every service writes through. */

/** An entry and the sequence number of its last write. */
export interface KvEntry {
  readonly key: string;
  readonly value: Buffer;
  readonly version: number;
}

/** Entries whose keys begin with `prefix`, in byte order of their UTF-8. */
export interface KvRange {
  readonly prefix: string;
  /** Only keys greater than this whole key. */
  readonly after?: string | undefined;
  /** At most so many entries; all of them without it. */
  readonly limit?: number | undefined;
}

/**
 * What a commit relies on: the version that the key still has, null for its absence, or that its
 * stored value is damaged still.
 */
export interface KvCheck {
  readonly key: string;
  readonly version: number | null | 'damaged';
}

/** An entry of the change log, which is written in the same commit as the change it tells of. */
export interface KvChange {
  readonly sequence: number;
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export type KvMutation =
  | { readonly type: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly type: 'delete'; readonly key: string };

/** A check of this commit did not hold; nothing of it was written. */
export class CommitConflict extends Error {
  override readonly name = 'CommitConflict';
  /** The key of the first check that failed. */
  readonly key: string;

  constructor(key: string) {
    super('A check of the commit did not hold.');
    this.key = key;
  }
}

/**
 * The cause of a `KeystowError` after which nobody knows whether the commit will be there once the
 * store is opened again. With any other error nothing of it was written.
 */
export class CommitUncertain extends Error {
  override readonly name = 'CommitUncertain';

  constructor(cause: Error) {
    super('The commit may be on disk or not.', { cause });
  }
}

/** Whether what was written with a failed commit may be there after a restart. */
export function isUncertain(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof CommitUncertain;
}

/** A stored value does not match its checksum: the disk or the file system changed it. */
export class DamagedEntry extends Error {
  override readonly name = 'DamagedEntry';

  constructor(key: string) {
    super(`The stored value of ${JSON.stringify(key)} is damaged: its checksum does not match.`);
  }
}

/** Entries of the change log after this number were trimmed, or there was never such a number. */
export class ChangesGone extends Error {
  override readonly name = 'ChangesGone';
  /** The smallest number after which everything is there. */
  readonly oldest: number;

  constructor(oldest: number) {
    super(`The change log can be read from ${oldest} on.`);
    this.oldest = oldest;
  }
}

/** The state after one write: all that was acknowledged until then, and nothing that came later. */
export interface KvSnapshot {
  /** The number of that write. */
  readonly sequence: number;
  /** All entries, in byte order of their keys, in pages. Rejects with `DamagedEntry`. */
  entries(): AsyncIterable<KvEntry[]>;
  close(): Promise<void>;
}

export interface KvStore {
  /** Rejects with `DamagedEntry`. */
  get(key: string): Promise<KvEntry | undefined>;

  /**
   * Streams the range in pages; one call sees one state, whatever is written meanwhile. Damaged
   * entries are left out, and told to the operator.
   */
  range(range: KvRange): AsyncIterable<KvEntry[]>;

  /** As `range`, without reading the values. */
  keys(range: KvRange): AsyncIterable<string[]>;

  /**
   * Writes all mutations, or none: each takes the next number of one sequence, which becomes its
   * key's version. Resolves once they are on disk, with the number of the first mutation; the
   * others follow it. Checks see every commit that was called before, answered or not.
   *
   * Rejects with `CommitConflict`, or a `KeystowError`: `unavailable` (too many commits are
   * waiting, or a write failed: then all later ones do) or `disk-full`; with a `CommitUncertain` as
   * their cause for the commits that were being written when the write failed.
   */
  commit(checks: readonly KvCheck[], mutations: readonly KvMutation[]): Promise<number>;

  /** The number of the last write on disk; 0 before the first. */
  sequence(): Promise<number>;

  /** The present state, to be read at leisure. Has to be closed. */
  snapshot(): Promise<KvSnapshot>;

  /**
   * What was written after the number `after`, oldest first, at most `limit` entries: every number, without a
   * gap. Empty where nothing was written since. Rejects with `ChangesGone`.
   */
  changes(after: number, limit: number): Promise<readonly KvChange[]>;

  /** The smallest number after which all changes are there. */
  oldestChange(): Promise<number>;

  /**
   * Calls the listener soon after writes have come on disk, here or by another node; once for several, and
   * maybe for none. Returns what ends that.
   */
  onCommit(listener: () => void): () => void;

  /** Waits for the commits under way; later calls reject with `unavailable`. */
  close(): Promise<void>;
}

/** There while another store, or a backup, is being copied into this one. */
export const MIGRATION_KEY = 'meta/migration';

/** A key of the store, in bytes of UTF-8; PostgreSQL's index rows hold no more than 2,704. */
export const MAX_STORE_KEY_BYTES = 2_304;
/** Mutations of one commit. */
export const MAX_COMMIT_MUTATIONS = 2_000;

/** What every driver's `commit` checks first. Throws a TypeError: these are mistakes of a caller. */
export function checkCommit(checks: readonly KvCheck[], mutations: readonly KvMutation[]): void {
  if (mutations.length === 0 || mutations.length > MAX_COMMIT_MUTATIONS) {
    throw new TypeError(`A commit has 1 to ${MAX_COMMIT_MUTATIONS} mutations.`);
  }
  for (const check of checks) checkStoreKey(check.key);
  for (const mutation of mutations) checkStoreKey(mutation.key);
  if (mutations.length > 1 && new Set(mutations.map(({ key }) => key)).size < mutations.length) {
    throw new TypeError('A commit mutates each key once.');
  }
}

/** Throws a TypeError where a driver could not store the key faithfully. */
export function checkStoreKey(key: string): void {
  // A lone surrogate becomes U+FFFD in UTF-8: two keys would be one.
  if (key === '' || !key.isWellFormed() || key.includes('\0')) {
    throw new TypeError('A key is well-formed, not empty and without NUL.');
  }
  if (Buffer.byteLength(key) > MAX_STORE_KEY_BYTES) {
    throw new TypeError(`A key has at most ${MAX_STORE_KEY_BYTES} bytes.`);
  }
}
