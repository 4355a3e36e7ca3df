import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import type { KvStore } from '../../server/stores/kv-store.ts';
import { environmentFor, PASSWORD } from './environment.ts';
import { makeFolder } from './make-folder.ts';

/**
 * The built server within the test's own process, on a free port: it starts in a few milliseconds,
 * where a process loads its modules for half a second. What concerns the process itself (signals,
 * exit codes, lines, relative paths, crashes) needs `startProcess`.
 */

export interface TestServer {
  /** Base of the first listener that speaks plain HTTP. */
  readonly url: string;
  /** Base of the TLS listener; empty unless `TLS` was set to `on`. */
  readonly tlsUrl: string;
  readonly password: string;
  readonly dataDir: string;
  /** Everything is kept here: `data`, and `certs` where they are made. */
  readonly folder: string;
  /** The whole log so far. */
  log(): string;
  /** Stops as SIGTERM does; the temporary folder goes too unless `keep`. */
  stop(options?: { keep?: boolean }): Promise<unknown>;
}

export interface TestServerOptions {
  readonly env?: Record<string, string>;
  /** A folder of an earlier server, to start on its data again. */
  readonly folder?: string;
}

export interface InProcessOptions extends TestServerOptions {
  /** The server's clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Names the uploads whose form names none. */
  readonly newId?: () => string;
  /** Of change feeds, in milliseconds. */
  readonly heartbeatMs?: number;
  readonly slowReaderMs?: number;
  /** Gets the store once it is open: what is to be quick goes past the server. */
  readonly onStore?: (store: KvStore) => void;
  /** The free bytes of the disk, as the server sees them. */
  readonly freeBytes?: () => Promise<number>;
  readonly openStore?: typeof import('../../server/open-stores.ts').openStore;
}

export async function startServer(options: InProcessOptions = {}): Promise<TestServer> {
  const { main, config, stores } = await loadBuilt();
  const folder = options.folder ?? (await makeFolder());
  const env = environmentFor(folder, {
    TLS_CERT: join(folder, 'certs/server.crt'),
    TLS_KEY: join(folder, 'certs/server.key'),
    ...options.env,
  });
  const settings = config.parseConfig({}, env);
  let log = '';
  const write = (line: string): void => {
    log += line;
  };
  const logger = pino(
    { level: settings.logLevel, timestamp: pino.stdTimeFunctions.isoTime },
    { write },
  );
  const { env: _env, folder: _folder, onStore = () => {}, ...overrides } = options;
  const server = await main.startServer(settings, logger, () => undefined, {
    ...overrides,
    async openStore(...args) {
      const store = await (options.openStore ?? stores.openStore)(...args);
      onStore(store);
      return store;
    },
  });
  return {
    ...basesOf(server.urls),
    password: PASSWORD,
    dataDir: env.DATA_DIR,
    folder,
    log: () => log,
    async stop({ keep = false } = {}) {
      await server.close();
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
  };
}

export function basesOf(urls: readonly string[]): { url: string; tlsUrl: string } {
  return {
    url: urls.find((url) => url.startsWith('http:')) ?? '',
    tlsUrl: urls.find((url) => url.startsWith('https:')) ?? '',
  };
}

/** As Node loads them (`vitest.config.ts`): only what is built has its worker beside it. */
async function loadBuilt(): Promise<{
  main: typeof import('../../server/main.ts');
  stores: typeof import('../../server/open-stores.ts');
  config: typeof import('../../server/config.ts');
}> {
  const [main, config, stores] = await Promise.all([
    import(resolve('dist/server/main.js')),
    import(resolve('dist/server/config.js')),
    import(resolve('dist/server/open-stores.js')),
  ]);
  return { main, config, stores };
}
