import { decodeProgress, encodeProgress, type ImportTarget } from '../../stores/import-target.ts';
import { MIGRATION_KEY } from '../../stores/kv-store.ts';
import { createPool } from './database.ts';
import { asPostgresError, PostgresError, prepare } from './postgres-store.ts';
import { createReader } from './reader.ts';

/** Rejects with PostgresError where the database cannot be used; `begin` where it is not empty. */
export async function openImportTarget(url: string): Promise<ImportTarget> {
  const pool = createPool({ url, onIdleError: () => {} });
  try {
    await prepare(pool);
  } catch (error) {
    await pool.end();
    throw asPostgresError(error);
  }
  const reader = createReader(pool);
  const mark = Buffer.from(MIGRATION_KEY);
  let source = '';

  return {
    async begin(from, checkEmpty) {
      source = from;
      const entry = await reader.get(MIGRATION_KEY);
      if (entry) {
        const progress = decodeProgress(entry);
        if (progress.source === source) return progress.after;
        throw new PostgresError(
          'The database holds a part of another store, or of another state of this one: empty it first.',
        );
      }
      for await (const page of reader.keys({ prefix: '', limit: 1 })) {
        if (page.length > 0) throw new PostgresError('The database is not empty: empty it first.');
      }
      await checkEmpty?.();
      await pool.query('insert into keystow_entries (key, version, value) values ($1, 0, $2)', [
        mark,
        encodeProgress({ source }),
      ]);
      return undefined;
    },

    async write(entries) {
      const after = entries.at(-1)?.key;
      await pool.query(
        `with written as (
           insert into keystow_entries (key, version, value)
             select * from unnest($1::bytea[], $2::bigint[], $3::bytea[])
             on conflict (key) do update set version = excluded.version, value = excluded.value
         )
         update keystow_entries set value = $5 where key = $4`,
        [
          entries.map(({ key }) => Buffer.from(key)),
          entries.map(({ version }) => version),
          entries.map(({ value }) => value),
          mark,
          encodeProgress({ source, after }),
        ],
      );
    },

    async *range(range) {
      for await (const page of reader.range(range)) {
        yield page.filter(({ key }) => key !== MIGRATION_KEY);
      }
    },

    async finish(sequence) {
      await pool.query(
        `with finished as (delete from keystow_entries where key = $1)
         update keystow_head
           set sequence = greatest(sequence, $2), floor = greatest(sequence, $2)`,
        [mark, sequence],
      );
    },

    close: () => pool.end(),
  };
}
