import { fileURLToPath } from 'node:url';
import { DOCUMENT_PATH, document, LIST_PATH, list } from '../bare/routes.ts';
import { documentText } from '../documents.ts';
import { freePort, startServer } from '../processes.ts';
import type { Peer } from './peer.ts';

/** One of the servers of `bench/bare/` as a peer. */
export function barePeer(name: string, program: 'http' | 'koa' | 'socket-io'): Peer {
  const path = fileURLToPath(new URL(`../bare/${program}.js`, import.meta.url));
  return {
    name,
    needs: [],
    async start(folder) {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const server = await startServer({
        name,
        command: process.execPath,
        args: [path, String(port)],
        folder,
        readyUrl: `${url}${DOCUMENT_PATH}`,
      });
      return {
        name,
        url,
        headers: { 'content-type': 'application/json' },
        processes: [server],
        create: (key) => {
          const body = documentText(key);
          return { method: 'POST', path: DOCUMENT_PATH, body, expect: body };
        },
        get: () => ({ method: 'GET', path: DOCUMENT_PATH, expect: document }),
        list: () => ({ method: 'GET', path: LIST_PATH, expect: list }),
      };
    },
  };
}
