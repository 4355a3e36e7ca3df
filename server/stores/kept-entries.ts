import type { KvEntry, KvMutation, KvStore } from './kv-store.ts';

/** Of what is kept in memory: entries, and bytes of their values together and each. */
const MAX_ENTRIES = 4_096;
const MAX_BYTES = 2 * 1_048_576;
const MAX_ENTRY_BYTES = 65_536;

/**
 * The same store, but entries under the prefixes stay in memory once they were read. For a store that nobody
 * else writes to: a commit forgets what it writes before it begins, and until it has ended nothing is kept, so
 * that a read never gives what an answered write has replaced. A kept entry is always the same object.
 */
export function keepEntries(store: KvStore, prefixes: readonly string[]): KvStore {
  const kept = new Map<string, KvEntry>();
  let keptBytes = 0;
  /** Commits that write such entries: those under way, and how often one began or ended. */
  let writing = 0;
  let turns = 0;

  function isKept(key: string): boolean {
    return prefixes.some((prefix) => key.startsWith(prefix));
  }

  function forget(key: string): void {
    const entry = kept.get(key);
    if (!entry) return;
    kept.delete(key);
    keptBytes -= entry.value.length;
  }

  function keep(entry: KvEntry): void {
    if (entry.value.length > MAX_ENTRY_BYTES) return;
    forget(entry.key);
    kept.set(entry.key, entry);
    keptBytes += entry.value.length;
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_ENTRIES && keptBytes <= MAX_BYTES) return;
      forget(oldest);
    }
  }

  async function read(key: string): Promise<KvEntry | undefined> {
    const begun = turns;
    const entry = await store.get(key);
    if (entry && writing === 0 && turns === begun) keep(entry);
    return entry;
  }

  async function write(keys: readonly string[], commit: () => Promise<number>): Promise<number> {
    writing += 1;
    turns += 1;
    keys.forEach(forget);
    try {
      return await commit();
    } finally {
      writing -= 1;
      turns += 1;
    }
  }

  return {
    ...store,

    get(key) {
      if (!isKept(key)) return store.get(key);
      const entry = kept.get(key);
      return entry ? Promise.resolve(entry) : read(key);
    },

    commit(checks, mutations) {
      const keys = keptKeys(mutations);
      const commit = (): Promise<number> => store.commit(checks, mutations);
      return keys.length === 0 ? commit() : write(keys, commit);
    },
  };

  function keptKeys(mutations: readonly KvMutation[]): string[] {
    return mutations.map(({ key }) => key).filter(isKept);
  }
}
