import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** A new, empty database in the PostgreSQL that the tests of this project share: its URL. */
export async function createDatabase(): Promise<string> {
  const name = await create('database');
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

/** As much as a store needs of its own, in a fraction of the time: a schema. */
export async function createSchema(): Promise<string> {
  const name = await create('schema');
  const url = new URL(inject('postgresUrl'));
  url.searchParams.set('options', `-c search_path=${name}`);
  return url.href;
}

async function create(what: 'database' | 'schema'): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(`create ${what} ${name}`);
  } finally {
    await client.end();
  }
  return name;
}
