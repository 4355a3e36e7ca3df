import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { resolve } from 'node:path';

/** A site whose pages load modules as they were built: nothing bundles them. */
export interface ModulePages {
  readonly origin: string;
  stop(): Promise<void>;
}

/** Files by the beginning of their path. */
const FOLDERS = new Map([
  ['shared', 'dist/shared'],
  ['socket.io', 'node_modules/socket.io-client/dist'],
]);

const PAGE = `<!doctype html><title>page</title><script type="module">
import * as library from '/shared/client/index.js';
import { io } from '/socket.io/socket.io.esm.min.js';
Object.assign(globalThis, { library, io });
</script>`;

/** The scripts of its pages find `library` and `io` among the globals. */
export async function startModulePages(): Promise<ModulePages> {
  const server = createServer(async (req, res) => {
    const [, folder, name] = /^\/([a-z.]+)\/([\w./-]+\.js)$/.exec(req.url ?? '') ?? [];
    const root = FOLDERS.get(folder ?? '');
    if (root === undefined || name === undefined || name.includes('..')) {
      res.setHeader('content-type', 'text/html').end(PAGE);
      return;
    }
    try {
      const script = await readFile(resolve(root, name));
      res.setHeader('content-type', 'text/javascript').end(script);
    } catch {
      res.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    origin: `http://localhost:${port}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
