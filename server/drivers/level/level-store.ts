import { existsSync } from 'node:fs';
import { Level } from 'level';
import { KeystowError } from '../../../shared/errors.ts';
import { MAX_PAGE_KEYS } from '../../../shared/limits.ts';
import { syncDirectory } from '../../durable-files.ts';
import type { WrittenBatch } from '../../stores/commit-queue.ts';
import {
  checkCommit,
  DamagedEntry,
  type KvEntry,
  type KvRange,
  type KvStore,
} from '../../stores/kv-store.ts';
import { createChangeLog } from './change-log.ts';
import { createCommitter } from './committer.ts';
import {
  checkDataDir,
  createDataDir,
  type DataDir,
  DataDirError,
  dataDirAt,
  inUse,
  removeOwner,
  writeOwner,
} from './data-dir.ts';
import {
  createCheckpointWindow,
  type Database,
  encodeCheckpoint,
  type LogState,
  LostWritesError,
  openHeadFile,
  readHeadFile,
  readLogState,
} from './integrity.ts';
import { createPageCache, type PageCache } from './page-cache.ts';
import { createReadQueue } from './read-queue.ts';
import { CHECKPOINT_KEY, decodeEntry, ENTRY_PREFIX } from './record.ts';
import { takeSnapshot } from './snapshot.ts';

/** LevelDB's memory table and log file. */
const WRITE_BUFFER_BYTES = 4 * 1_048_576;
/** What an iterator reads at a time, whichever is reached first. */
const PAGE_ENTRIES = 1_000;
const PAGE_BYTES = 256 * 1_024;
/** The largest page of the API and the key that tells that there are more. */
const MAX_CACHED_PAGE = MAX_PAGE_KEYS + 1;

export interface LevelStoreOptions {
  readonly dataDir: string;
  /** Entries of the change log to keep. */
  readonly changesKeep: number;
  readonly now: () => number;
  /** A write failed; from now on every commit is refused. */
  readonly onFailed: (error: Error) => void;
  readonly onBatch?: ((batch: WrittenBatch) => void) | undefined;
  /** A list met a damaged entry and went on without it. */
  readonly onDamaged: (error: Error) => void;
}

/**
 * Opens the embedded store, and makes it where there is none. Rejects with DataDirError (in use,
 * newer format, damaged) or LostWritesError; then nothing was changed by Keystow.
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<KvStore> {
  const dir = dataDirAt(options.dataDir);
  checkDataDir(dir);
  await createDataDir(dir);
  const database = await openDatabase(dir, true);
  try {
    // LevelDB does not do this after it has renamed its own files.
    await syncDirectory(dir.database);
    await syncDirectory(dir.path);
    const log = await readLogState(database, readHeadFile(dir.head));
    if (log.lost) throw new LostWritesError(describeLoss(dir, log));
    return await createLevelStore(dir, database, log, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Opens an embedded store to read what is left, even where writes were lost: that is told to
 * `onWarning`. Every commit is refused.
 */
export async function openLevelStoreReadOnly(
  dataDir: string,
  onWarning: (message: string) => void,
): Promise<KvStore> {
  const dir = dataDirAt(dataDir);
  checkDataDir(dir);
  if (!existsSync(dir.database)) throw new DataDirError(`${dir.path} has no Keystow store in it.`);
  const database = await openDatabase(dir, false);
  const log = await readLogState(database, readHeadFile(dir.head));
  if (log.lost) onWarning(describeLoss(dir, log));
  return {
    ...createReader(database, createPageCache(), ({ message }) =>
      onWarning(`${message} It is left out.`),
    ),
    ...createChangeLog(database, { sequence: () => log.sequence, oldest: () => log.oldest }),
    onCommit: () => () => {},
    commit: () =>
      Promise.reject(new KeystowError('unavailable', 'The store was opened for reading only.')),
    sequence: () => Promise.resolve(log.sequence),
    snapshot: () => takeSnapshot(database, log.sequence),
    close: () => database.close(),
  };
}

async function createLevelStore(
  dir: DataDir,
  database: Database,
  log: LogState,
  options: LevelStoreOptions,
): Promise<KvStore> {
  // Opening has moved all that was in the log files into tables: the present end is safe.
  const checkpoint = { sequence: log.sequence, oldest: log.oldest };
  await database.put(CHECKPOINT_KEY, encodeCheckpoint(checkpoint), { sync: true });
  await writeOwner(dir);
  const head = openHeadFile(dir.head);
  head.write(log.sequence);
  const window = createCheckpointWindow(WRITE_BUFFER_BYTES, log.sequence);

  const pages = createPageCache();
  const listeners = new Set<() => void>();
  const committer = createCommitter({
    database,
    now: options.now,
    sequence: log.sequence,
    oldest: log.oldest,
    changesKeep: options.changesKeep,
    checkpoint: log.sequence,
    onWriting: pages.writing,
    onSynced(batch) {
      const { bytes, sequence } = batch;
      options.onBatch?.(batch);
      pages.written();
      try {
        head.write(sequence);
      } catch {
        // The writes are on disk all the same; an older head file only makes the check weaker.
      }
      const safe = window.add(bytes, sequence);
      for (const listener of listeners) listener();
      return safe;
    },
    onFailed: options.onFailed,
    checkpointOperation: (next) => ({
      type: 'put',
      key: CHECKPOINT_KEY,
      value: encodeCheckpoint(next),
    }),
  });

  return {
    ...createReader(database, pages, options.onDamaged),
    ...createChangeLog(database, committer),
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    commit(checks, mutations) {
      checkCommit(checks, mutations);
      return committer.commit(checks, mutations);
    },
    sequence: () => Promise.resolve(committer.sequence()),
    snapshot: () => takeSnapshot(database, log.sequence),
    async close() {
      await committer.close();
      await database.close();
      head.close();
      await removeOwner(dir);
    },
  };
}

export function createReader(
  database: Database,
  pages: PageCache,
  onDamaged: (error: Error) => void,
): Pick<KvStore, 'get' | 'range' | 'keys'> {
  return {
    get: createReadQueue(database),

    async *range(range) {
      // Damaged entries do not count: who gets fewer than the limit takes them for all there are.
      let left = range.limit ?? Number.POSITIVE_INFINITY;
      const iterator = database.iterator(bounds({ ...range, limit: undefined }));
      try {
        while (left > 0) {
          const page = await iterator.nextv(Math.min(PAGE_ENTRIES, left));
          if (page.length === 0) return;
          const entries = page.flatMap(([stored, record]) =>
            decodeOrTell(stored.slice(1), record, onDamaged),
          );
          left -= entries.length;
          yield entries;
        }
      } finally {
        await iterator.close();
      }
    },

    async *keys(range) {
      if (range.limit === undefined || range.limit > MAX_CACHED_PAGE) {
        yield* readKeys(database, range);
        return;
      }
      const page = await pages.get(range, async () => {
        const keys: string[] = [];
        for await (const some of readKeys(database, range)) keys.push(...some);
        return keys;
      });
      if (page.length > 0) yield [...page];
    },
  };
}

async function* readKeys(database: Database, range: KvRange): AsyncGenerator<string[]> {
  const iterator = database.keys(bounds(range));
  try {
    for (;;) {
      const page = await iterator.nextv(PAGE_ENTRIES);
      if (page.length === 0) return;
      yield page.map((stored) => stored.slice(1));
    }
  } finally {
    await iterator.close();
  }
}

function decodeOrTell(key: string, record: Buffer, tell: (error: Error) => void): KvEntry[] {
  try {
    return [decodeEntry(key, record)];
  } catch (error) {
    if (!(error instanceof DamagedEntry)) throw error;
    tell(error);
    return [];
  }
}

function bounds({ prefix, after, limit }: KvRange) {
  const begin = ENTRY_PREFIX + prefix;
  const isInside =
    after !== undefined && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0;
  return {
    ...(isInside ? { gt: ENTRY_PREFIX + after } : { gte: begin }),
    lt: successor(begin),
    limit: limit ?? -1,
    highWaterMarkBytes: PAGE_BYTES,
  };
}

/** The smallest string after all that begin with `prefix`: UTF-8 sorts as code points do. */
function successor(prefix: string): string {
  const points = [...prefix];
  for (;;) {
    const last = points.pop()?.codePointAt(0) ?? 0;
    if (last === 0x10ffff) continue;
    const next = last + 1 === 0xd800 ? 0xe000 : last + 1;
    return points.join('') + String.fromCodePoint(next);
  }
}

export async function openDatabase(dir: DataDir, create: boolean): Promise<Database> {
  const database: Database = new Level(dir.database, {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    createIfMissing: create,
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  try {
    await database.open();
    return database;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED')
      throw inUse(dir);
    throw new DataDirError(
      `The database in ${dir.path} cannot be opened (${cause instanceof Error ? cause.message : cause}): mend the cause, or restore a backup.`,
      { cause: error },
    );
  }
}

function describeLoss(dir: DataDir, { lost }: LogState): string {
  if (!lost) return '';
  return (
    `The store in ${dir.path} has lost ${lost.count} acknowledged write(s) of the numbers ${lost.from} to ${lost.to}: ` +
    `a file of it was damaged. Restore a backup; or save what is left with ` +
    `\`keystow export --data-dir ${dir.path} FILE\` and import that into an empty DATA_DIR.`
  );
}
