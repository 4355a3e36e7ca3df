import { ChangesGone, type KvStore } from '../../stores/kv-store.ts';
import type { Database } from './integrity.ts';
import { decodeChange, logKey, logKeySequence } from './record.ts';

/** What the committer knows of the log: its last number on disk, and its oldest entry. */
export interface LogBounds {
  sequence(): number;
  oldest(): number;
}

export function createChangeLog(
  database: Database,
  bounds: LogBounds,
): Pick<KvStore, 'changes' | 'oldestChange'> {
  return {
    async changes(after, limit) {
      const head = bounds.sequence();
      if (after < bounds.oldest() - 1 || after > head) throw new ChangesGone(bounds.oldest() - 1);
      if (after === head) return [];
      const end = Math.min(head, after + limit);
      const records = await database.iterator({ gt: logKey(after), lte: logKey(end) }).all();
      const changes = records.map(([key, record]) => decodeChange(logKeySequence(key), record));
      // They were trimmed meanwhile.
      if (changes.length < end - after) throw new ChangesGone(bounds.oldest() - 1);
      return changes;
    },

    oldestChange: () => Promise.resolve(bounds.oldest() - 1),
  };
}
