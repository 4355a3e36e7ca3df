import type { KvEntry } from '../../stores/kv-store.ts';
import type { Database } from './integrity.ts';
import { decodeEntry, ENTRY_PREFIX } from './record.ts';

/**
 * Reads of one turn of the event loop go to LevelDB together: a hop to another thread costs more than
 * the reading itself. Never on this thread: what is not in memory would hold everybody up.
 */

/** Of one call; a document may have a MiB. */
const MAX_READS = 64;

interface Waiting {
  readonly key: string;
  resolve(entry: KvEntry | undefined): void;
  reject(error: unknown): void;
}

export function createReadQueue(database: Database): (key: string) => Promise<KvEntry | undefined> {
  let waiting: Waiting[] = [];

  function readAll(): void {
    const reads = waiting;
    waiting = [];
    for (let at = 0; at < reads.length; at += MAX_READS) void read(reads.slice(at, at + MAX_READS));
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
      if (waiting.length === 0) setImmediate(readAll);
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
