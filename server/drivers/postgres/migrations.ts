import type { ClientBase } from 'pg';

/**
 * The schema, as steps that are only ever appended to: each runs once, in a transaction, under a lock
 * that lets one of many starting nodes go first.
 */

/** Of `pg_advisory_xact_lock`: any number will do that nobody else in the database uses. */
const MIGRATION_LOCK = 4_871_203_716;

/** The database was migrated by a later Keystow. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** Rejects with NewerSchemaError; then nothing was changed. */
export async function migrate(client: ClientBase): Promise<void> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      'create table if not exists keystow_migrations (step int primary key, at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ done: number }>(
      'select coalesce(max(step), 0) as done from keystow_migrations',
    );
    const done = rows[0]?.done ?? 0;
    if (done > STEPS.length) {
      throw new NewerSchemaError(
        `The database has the schema of a newer Keystow (step ${done}, this one knows ${STEPS.length}): start that version.`,
      );
    }
    for (const [index, step] of STEPS.entries()) {
      if (index < done) continue;
      await client.query(step);
      await client.query('insert into keystow_migrations (step) values ($1)', [index + 1]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

const TABLES = `
  create table keystow_entries (
    key bytea primary key,
    version bigint not null,
    value bytea not null
  );
  create table keystow_changes (
    sequence bigint primary key,
    is_put boolean not null,
    key bytea not null,
    at bigint not null
  );
  create table keystow_head (
    is_only boolean primary key default true check (is_only),
    sequence bigint not null,
    timeline int not null
  ) with (fillfactor = 10);
  insert into keystow_head (sequence, timeline) values (0, 0);
  create table keystow_batches (
    id uuid primary key,
    results bigint[] not null,
    at timestamptz not null default now()
  );
  create index keystow_batches_at on keystow_batches (at);
`;

/**
 * Commits the batch of a node. The lock on the head is taken by a statement of its own: each later one
 * sees what the batches before have written (VOLATILE functions take a snapshot for each statement, under
 * READ COMMITTED). So numbers have no gaps that readers could step over, and no check is evaluated on old
 * data. A batch that was committed before is not committed again: its results are returned.
 *
 * Operations come in order: of each member its checks (kind 0), then its puts (1) and deletions (2). The
 * result of a member is the number of its first mutation, or minus the position of the check that failed.
 *
 * A standby that was promoted has another timeline. What it lacks of the old one was never acknowledged,
 * but may have been seen: so no number is given twice, the sequence goes on 2^32 higher, and the change log
 * is read from that floor on.
 */
const COMMIT = `
  create or replace function keystow_commit(
    batch uuid,
    members int,
    op_members int[],
    op_kinds int[],
    op_keys bytea[],
    op_versions bigint[],
    op_values bytea[],
    committed_at bigint,
    kept bigint
  ) returns bigint[] language plpgsql volatile as $$
  declare
    head bigint;
    before bigint;
    new_floor bigint;
    head_timeline int;
    own_timeline int := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int;
    results bigint[];
    op record;
    present bigint;
  begin
    select h.sequence, h.timeline into head, head_timeline from keystow_head h for update;
    select b.results into results from keystow_batches b where b.id = batch;
    if found then
      return results;
    end if;
    if head_timeline not in (0, own_timeline) then
      head := head + 4294967296;
      new_floor := head;
    end if;
    before := head;
    results := array_fill(0::bigint, array[members]);
    for op in
      select t.* from unnest(op_members, op_kinds, op_keys, op_versions, op_values)
        with ordinality as t (member, kind, key, version, value, position)
    loop
      continue when results[op.member] < 0;
      if op.kind = 0 then
        select e.version into present from keystow_entries e where e.key = op.key;
        if present is distinct from op.version then
          results[op.member] := -op.position;
        end if;
        continue;
      end if;
      head := head + 1;
      if results[op.member] = 0 then
        results[op.member] := head;
      end if;
      if op.kind = 1 then
        insert into keystow_entries as e (key, version, value) values (op.key, head, op.value)
          on conflict (key) do update set version = excluded.version, value = excluded.value;
      else
        delete from keystow_entries e where e.key = op.key;
      end if;
      insert into keystow_changes (sequence, is_put, key, at)
        values (head, op.kind = 1, op.key, committed_at);
    end loop;
    update keystow_head set
      sequence = head, timeline = own_timeline, floor = coalesce(new_floor, floor);
    insert into keystow_batches (id, results) values (batch, results);
    delete from keystow_batches b where b.id in (
      select old.id from keystow_batches old
        where old.at < now() - interval '1 hour' order by old.at limit 2
    );
    if head > before then
      delete from keystow_changes c where c.sequence in (
        select old.sequence from keystow_changes old
          where old.sequence <= head - kept order by old.sequence limit 2 * (head - before)
      );
      perform pg_notify('keystow', head::text);
    end if;
    return results;
  end
  $$;
`;

/** What lies below the floor is not read on from: those who know a number of the old primary start anew. */
const FLOOR = `alter table keystow_head add column floor bigint not null default 0;`;

const STEPS: readonly string[] = [TABLES + COMMIT, FLOOR + COMMIT];
