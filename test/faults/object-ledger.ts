/**
 * What uploaders were told: for each key the last state that was acknowledged, and the write that
 * had no answer when the server died. A key has one writer at a time.
 */

/** An object as its bytes are known. */
export interface ObjectState {
  readonly md5: string;
  readonly size: number;
}

export interface ObjectEntry {
  /** Null: the object is not there. */
  readonly settled: ObjectState | null;
  /** Null: a deletion is under way. */
  readonly pending: ObjectState | null | undefined;
}

export interface ObjectLedger {
  readonly entries: ReadonlyMap<string, ObjectEntry>;
  /** What was wrong with the answers themselves. */
  readonly problems: readonly string[];
  readonly acknowledged: number;
  isThere(key: string): boolean;
  begin(key: string, state: ObjectState | null): void;
  /** A 2xx answer to what was begun last; a deletion's has no ETag. */
  acknowledge(key: string, etag: string | undefined): void;
  /** An answer that no correct server gives to this workload. */
  reject(key: string, problem: string): void;
  /** Takes over what a restarted server has. */
  adopt(objects: ReadonlyMap<string, ObjectState | null>): void;
}

export function createObjectLedger(): ObjectLedger {
  const entries = new Map<string, ObjectEntry>();
  const problems: string[] = [];
  let acknowledged = 0;
  return {
    entries,
    problems,
    get acknowledged() {
      return acknowledged;
    },
    isThere: (key) => (entries.get(key)?.settled ?? null) !== null,
    begin(key, state) {
      entries.set(key, { settled: entries.get(key)?.settled ?? null, pending: state });
    },
    acknowledge(key, etag) {
      const state = entries.get(key)?.pending ?? null;
      if (state && etag !== state.md5) {
        problems.push(`${key}: acknowledged with the ETag ${etag}, sent was ${state.md5}`);
      }
      acknowledged += 1;
      entries.set(key, { settled: state, pending: undefined });
    },
    reject(key, problem) {
      problems.push(`${key}: ${problem}`);
    },
    adopt(objects) {
      for (const [key, settled] of objects) entries.set(key, { settled, pending: undefined });
    },
  };
}
