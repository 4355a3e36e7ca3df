import type { KvCheck } from '../../stores/kv-store.ts';

/** Of the keys of a batch; PRESENT where only their presence was looked at. */
export type Versions = Map<string, KvCheck['version']>;

/** Of a key whose version nobody asks for: no check holds with it. */
export const PRESENT = -1;

/** Every write checks its author's record, every object its bucket's: some of thousands of keys. */
const MAX_KEYS = 4_096;

/** Versions as they are after the last batch: nobody but the committer changes them. */
export function createVersionMemory() {
  const known = new Map<string, number>();

  return {
    get: (key: string): number | undefined => known.get(key),

    /**
     * After a batch that is on disk, or that wrote nothing. New keys are those whose version was asked for: who
     * creates documents does not come back to them soon.
     */
    note(versions: Versions, asked: readonly string[]): void {
      for (const [key, version] of versions) {
        if (!known.delete(key)) continue;
        if (typeof version === 'number') known.set(key, version);
      }
      for (const key of asked) {
        const version = versions.get(key);
        if (typeof version === 'number') known.set(key, version);
      }
      for (const oldest of known.keys()) {
        if (known.size <= MAX_KEYS) return;
        known.delete(oldest);
      }
    },
  };
}
