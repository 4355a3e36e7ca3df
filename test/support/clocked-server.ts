import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { parseConfig } from '../../server/config.ts';
import { makeFolder, PASSWORD } from './server.ts';

/** The built server inside this process: a clock of the test's own can be put in. */

export interface ClockedServer {
  readonly url: string;
  readonly dataDir: string;
  /** Files that hold bytes of objects too large for the database. */
  blobFiles(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startClockedServer(options: {
  readonly env?: Readonly<Record<string, string>>;
  readonly now: () => number;
}): Promise<ClockedServer> {
  const folder = await makeFolder();
  const dataDir = join(folder, 'data');
  // What is built, as its workers are JavaScript; typed as its source, as `check` comes before it.
  const { startServer }: typeof import('../../server/main.ts') = await import(
    pathToFileURL(resolve('dist/server/main.js')).href
  );
  const config = parseConfig(
    {},
    {
      TLS: 'off',
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      ADMIN_PASSWORD: PASSWORD,
      BCRYPT_COST: '4',
      ...options.env,
    },
  );
  const server = await startServer(config, pino({ level: 'silent' }), () => {}, {
    now: options.now,
  });
  return {
    url: server.urls[0] ?? '',
    dataDir,
    async blobFiles() {
      const entries = await readdir(join(dataDir, 'blobs'), {
        recursive: true,
        withFileTypes: true,
      });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    async stop() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
