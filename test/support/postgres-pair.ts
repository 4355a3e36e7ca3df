import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { vi } from 'vitest';
import { freePort } from './free-port.ts';

/**
 * Debian's PostgreSQL: a primary that acknowledges nothing before its standby has it on disk. The npm
 * package of postgres.ts has no pg_basebackup.
 */
export interface PostgresPair {
  readonly primaryPort: number;
  readonly standbyPort: number;
  /** A new, empty database, on the primary. */
  createDatabase(): Promise<string>;
  /** SIGKILL for the primary and all of its processes, as if its machine had lost its power. */
  killPrimary(): Promise<void>;
  /** Stops the standby; the primary waits for it with all commits. */
  stopStandby(): Promise<void>;
  startStandby(): Promise<void>;
  /** Resolves once the standby shows all that it has received. */
  replayed(): Promise<void>;
  /** Resolves once the standby takes writes; it has no standby of its own then. */
  promoteStandby(): Promise<void>;
  stop(): Promise<void>;
}

interface Server {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

const WAIT = { timeout: 120_000, interval: 50 };
const VERSIONS = '/usr/lib/postgresql';
const run = promisify(execFile);
/** PostgreSQL refuses to run as root. */
const isRoot = process.getuid?.() === 0;

export async function startPostgresPair(): Promise<PostgresPair> {
  const bin = await findBinaries();
  const folder = await mkdtemp(join(tmpdir(), 'keystow-postgres-pair-'));
  await chmod(folder, 0o777);
  const primaryData = join(folder, 'primary');
  const standbyData = join(folder, 'standby');
  const primaryPort = await freePort();
  const standbyPort = await freePort();

  function command(program: string, args: readonly string[]): [string, string[]] {
    const path = join(bin, program);
    return isRoot
      ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', path, ...args]]
      : [path, [...args]];
  }

  async function start(data: string, port: number, flags: readonly string[]): Promise<Server> {
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=200',
      'wal_level=replica',
      ...flags,
    ];
    const [program, args] = command('postgres', [
      '-D',
      data,
      ...settings.flatMap((setting) => ['-c', setting]),
    ]);
    const child = spawn(program, args, { cwd: folder, stdio: 'ignore' });
    const exited = once(child, 'exit');
    const server = { child, exited };
    try {
      await vi.waitUntil(() => answers(port), WAIT);
    } catch (error) {
      await end(server, 'SIGKILL');
      throw error;
    }
    return server;
  }

  await run(
    ...command('initdb', [
      '--pgdata',
      primaryData,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
    ]),
    { cwd: folder },
  );
  // Given to the primary alone: a promoted standby shall not wait for one of its own.
  const primary = await start(primaryData, primaryPort, ['synchronous_standby_names=standby']);
  await run(
    ...command('pg_basebackup', [
      `--dbname=host=127.0.0.1 port=${primaryPort} user=postgres application_name=standby`,
      '--pgdata',
      standbyData,
      '--write-recovery-conf',
      '--checkpoint=fast',
    ]),
    { cwd: folder },
  );
  let standby = await startStandby();
  let databases = 0;

  async function startStandby(): Promise<Server> {
    const started = await start(standbyData, standbyPort, []);
    const states = 'select 1 from pg_stat_replication where sync_state = $1';
    const isSynchronous = async () => (await query(primaryPort, states, ['sync'])).length === 1;
    await vi.waitUntil(isSynchronous, WAIT);
    return started;
  }

  return {
    primaryPort,
    standbyPort,
    async createDatabase() {
      databases += 1;
      await query(primaryPort, `create database test_${databases}`);
      return `postgres://postgres@127.0.0.1:${primaryPort}/test_${databases}`;
    },
    killPrimary: () => end(primary, 'SIGKILL'),
    stopStandby: () => end(standby, 'SIGINT'),
    async startStandby() {
      standby = await startStandby();
    },
    async replayed() {
      const lag = 'select 1 where pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()';
      await vi.waitUntil(async () => (await query(standbyPort, lag)).length === 0, WAIT);
    },
    async promoteStandby() {
      await query(standbyPort, 'select pg_promote(true)');
    },
    async stop() {
      await Promise.all([end(primary, 'SIGKILL'), end(standby, 'SIGKILL')]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function findBinaries(): Promise<string> {
  const versions = await readdir(VERSIONS).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  if (newest === undefined) {
    throw new Error('There is no PostgreSQL of Debian: install the package postgresql.');
  }
  return join(VERSIONS, String(newest), 'bin');
}

async function answers(port: number): Promise<boolean> {
  return query(port, 'select 1').then(
    () => true,
    () => false,
  );
}

async function query(port: number, text: string, values: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** SIGKILL goes to all of its processes, other signals to the first one, which tells the others. */
async function end({ child, exited }: Server, signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
  const { pid } = child;
  if (child.exitCode !== null || child.signalCode !== null || pid === undefined) return;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  child.kill(signal);
  await exited;
  if (signal !== 'SIGKILL') return;
  for (const orphan of children.split(' ').filter((text) => text !== '')) killOrphan(orphan);
}

function killOrphan(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It saw that the first one is gone, and went too.
  }
}
