import { checkStoreKey, type KvEntry } from '../../stores/kv-store.ts';
import type { Database } from './integrity.ts';
import { decodeEntry, ENTRY_PREFIX } from './record.ts';

/**
 * Reads of one turn of the event loop go to LevelDB together: a hop to another thread costs more than
 * the reading itself. Never on this thread: what is not in memory would hold everybody up.
 */

/** Of one call; a document may have a MiB. */
const MAX_READS = 64;
/** Calls at once: writing needs some of libuv's four threads. */
const MAX_UNDER_WAY = 2;

interface Waiting {
  readonly key: string;
  resolve(entry: KvEntry | undefined): void;
  reject(error: unknown): void;
}

export function createReadQueue(database: Database): (key: string) => Promise<KvEntry | undefined> {
  let waiting: Waiting[] = [];

  let underWay = 0;

  function readAll(): void {
    while (waiting.length > 0 && underWay < MAX_UNDER_WAY) {
      const reads = waiting.slice(0, MAX_READS);
      waiting = waiting.slice(MAX_READS);
      underWay += 1;
      void read(reads).finally(() => {
        underWay -= 1;
        readAll();
      });
    }
  }

  async function read(reads: readonly Waiting[]): Promise<void> {
    try {
      const records = await database.getMany(reads.map(({ key }) => ENTRY_PREFIX + key));
      for (const [index, read] of reads.entries()) settle(read, records[index]);
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      checkStoreKey(key);
      if (waiting.length === 0 && underWay < MAX_UNDER_WAY) setImmediate(readAll);
      waiting.push({ key, resolve, reject });
    });
}

function settle({ key, resolve, reject }: Waiting, record: Buffer | undefined): void {
  try {
    resolve(record === undefined ? undefined : decodeEntry(key, record));
  } catch (damaged) {
    reject(damaged);
  }
}
