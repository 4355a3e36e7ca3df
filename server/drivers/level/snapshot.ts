import type { KvSnapshot } from '../../stores/kv-store.ts';
import type { Database } from './integrity.ts';
import { decodeEntry, ENTRY_PREFIX, LOG_PREFIX, logKeySequence } from './record.ts';

/** What an iterator reads at a time, whichever is reached first. */
const PAGE_ENTRIES = 1_000;
const PAGE_BYTES = 256 * 1_024;

/**
 * A snapshot of LevelDB's own. It holds whole batches, each with its lines of the change log, whose last one
 * tells the number; `opened` is for a store that was not written to since it was opened.
 */
export async function takeSnapshot(database: Database, opened: number): Promise<KvSnapshot> {
  const snapshot = database.snapshot();
  try {
    const log = { gte: LOG_PREFIX, lt: `${LOG_PREFIX}:`, reverse: true, limit: 1, snapshot };
    const [last] = await database.keys(log).all();
    return {
      sequence: last === undefined ? opened : logKeySequence(last),

      async *entries() {
        const iterator = database.iterator({
          gte: ENTRY_PREFIX,
          lt: String.fromCharCode(ENTRY_PREFIX.charCodeAt(0) + 1),
          highWaterMarkBytes: PAGE_BYTES,
          snapshot,
        });
        try {
          for (;;) {
            const page = await iterator.nextv(PAGE_ENTRIES);
            if (page.length === 0) return;
            yield page.map(([stored, record]) => decodeEntry(stored.slice(1), record));
          }
        } finally {
          await iterator.close();
        }
      },

      close: () => snapshot.close(),
    };
  } catch (error) {
    await snapshot.close();
    throw error;
  }
}
