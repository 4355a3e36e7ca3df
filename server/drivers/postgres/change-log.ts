import type pg from 'pg';
import { ChangesGone, type KvChange, type KvStore } from '../../stores/kv-store.ts';
import { read } from './reader.ts';

export interface Bounds {
  readonly head: string;
  /** The number after which everything is there. */
  readonly oldest: string;
}

interface Row extends Bounds {
  /** Null where there is nothing. */
  readonly sequence: string | null;
  readonly is_put: boolean;
  readonly key: Buffer;
  readonly at: string;
}

/**
 * A promoted standby that has not committed yet is ahead of its head already: see `keystow_commit` in
 * migrations.ts.
 */
export const BOUNDS = `
  select
    case when promoted then sequence + 4294967296 else sequence end as head,
    case when promoted then sequence + 4294967296 else coalesce(
      (select min(c.sequence) - 1 from keystow_changes c where c.sequence > present.floor), sequence
    ) end as oldest
  from (
    select h.sequence, h.floor, h.timeline not in (
      0, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
    ) as promoted from keystow_head h
  ) as present`;

const CHANGES = `
  select b.head, b.oldest, c.sequence, c.is_put, c.key, c.at
  from (${BOUNDS}) as b left join lateral (
    select * from keystow_changes where sequence > $1 order by sequence limit $2
  ) as c on true`;

export function createChangeLog(
  pool: pg.Pool,
): Pick<KvStore, 'changes' | 'oldestChange' | 'sequence'> {
  async function bounds(): Promise<{ head: number; oldest: number }> {
    const { rows } = await read(pool, (client) => client.query<Bounds>(BOUNDS));
    return { head: Number(rows[0]?.head ?? 0), oldest: Number(rows[0]?.oldest ?? 0) };
  }

  return {
    async changes(after, limit) {
      const query = { name: 'keystow_changes', text: CHANGES, values: [after, limit] };
      const { rows } = await read(pool, (client) => client.query<Row>(query));
      const oldest = Number(rows[0]?.oldest ?? 0);
      if (after < oldest || after > Number(rows[0]?.head ?? 0)) throw new ChangesGone(oldest);
      return rows.flatMap(toChange);
    },

    oldestChange: async () => (await bounds()).oldest,
    sequence: async () => (await bounds()).head,
  };
}

function toChange({ sequence, is_put, key, at }: Row): KvChange[] {
  if (sequence === null) return [];
  const type = is_put ? 'put' : 'delete';
  return [{ sequence: Number(sequence), type, key: key.toString(), at: Number(at) }];
}
