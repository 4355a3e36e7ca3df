import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { syncDirectory } from '../../durable-files.ts';
import { decodeProgress, encodeProgress, type ImportTarget } from '../../stores/import-target.ts';
import { MIGRATION_KEY } from '../../stores/kv-store.ts';
import {
  checkDataDir,
  createDataDir,
  DataDirError,
  dataDirAt,
  removeOwner,
  writeOwner,
} from './data-dir.ts';
import { encodeCheckpoint, openHeadFile } from './integrity.ts';
import { createReader, openDatabase } from './level-store.ts';
import { createPageCache } from './page-cache.ts';
import { CHECKPOINT_KEY, ENTRY_PREFIX, encodeEntry } from './record.ts';

/** What an interrupted copy leaves, and the key that an operator puts there. */
const OWN_FILES = new Set(['format', 'level', 'blobs', 'head', 'owner', 'master.key']);

/**
 * A data directory that is not there yet, or is empty but for a master key. Rejects with DataDirError for one
 * that is in use or has something else in it.
 */
export async function openLevelImportTarget(dataDir: string): Promise<ImportTarget> {
  const dir = dataDirAt(dataDir);
  checkDataDir(dir);
  const present = existsSync(dir.path) ? await readdir(dir.path) : [];
  const foreign = present.find((name) => !OWN_FILES.has(name));
  if (foreign !== undefined) throw notEmpty(`${dir.path} has ${foreign} in it`);
  await createDataDir(dir);
  const database = await openDatabase(dir, true);
  await syncDirectory(dir.path);
  await writeOwner(dir);
  const damaged: Error[] = [];
  const reader = createReader(database, createPageCache(), (error) => damaged.push(error));
  const mark = ENTRY_PREFIX + MIGRATION_KEY;
  let source = '';

  const markOf = (after?: string) =>
    encodeEntry(MIGRATION_KEY, 0, encodeProgress({ source, after }));

  return {
    async begin(from, checkEmpty) {
      source = from;
      const entry = await reader.get(MIGRATION_KEY);
      if (entry) {
        const progress = decodeProgress(entry);
        if (progress.source === source) return progress.after;
        throw notEmpty(`${dir.path} holds a part of another backup`);
      }
      const [first] = await database.keys({ limit: 1 }).all();
      if (first !== undefined) throw notEmpty(`${dir.path} is not empty`);
      await checkEmpty?.();
      await database.put(mark, markOf(), { sync: true });
      await syncDirectory(dir.database);
      return undefined;
    },

    async write(entries) {
      const batch = database.batch();
      for (const { key, version, value } of entries) {
        batch.put(ENTRY_PREFIX + key, encodeEntry(key, version, value));
      }
      batch.put(mark, markOf(entries.at(-1)?.key));
      await batch.write({ sync: true });
    },

    async *range(range) {
      for await (const page of reader.range(range)) {
        yield page.filter(({ key }) => key !== MIGRATION_KEY);
      }
      const [first] = damaged;
      if (first) throw first;
    },

    async finish(sequence) {
      const checkpoint = encodeCheckpoint({ sequence, oldest: sequence + 1 });
      const batch = database.batch().del(mark).put(CHECKPOINT_KEY, checkpoint);
      await batch.write({ sync: true });
      // Behind it: a number that the database does not reach would look like lost writes.
      const head = openHeadFile(dir.head);
      head.write(sequence);
      head.close();
    },

    async close() {
      await database.close();
      await removeOwner(dir);
    },
  };
}

function notEmpty(what: string): DataDirError {
  return new DataDirError(`${what}: name a data directory that is not there yet, or is empty.`);
}
