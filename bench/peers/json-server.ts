import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { documentKey, documentText, PAGE_KEYS } from '../documents.ts';
import { freePort, startServer } from '../processes.ts';
import type { Peer } from './peer.ts';

const program = createRequire(import.meta.url).resolve('json-server/lib/cli/bin.js');

/** json-server 0.17: one JSON file, written as a whole at every change, without fsync. */
export const jsonServer: Peer = {
  name: 'json-server',
  needs: [],
  async start(folder, keys) {
    const file = `${folder}/db.json`;
    // Filling it through its API would write the growing file once for each document.
    await writeFile(file, `{"documents":[${keys.map(documentText).join(',')}]}`);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = await startServer({
      name: 'json-server',
      command: process.execPath,
      args: [program, '--quiet', '--host', '127.0.0.1', '--port', String(port), file],
      folder,
      readyUrl: `${url}/documents?_limit=1`,
    });
    return {
      name: 'json-server',
      url,
      headers: { 'content-type': 'application/json' },
      processes: [server],
      create: (key) => ({ method: 'POST', path: '/documents', body: documentText(key) }),
      get: (key) => ({ method: 'GET', path: `/documents/${key}`, expect: `"${key}"` }),
      list: () => ({
        method: 'GET',
        path: `/documents?_limit=${PAGE_KEYS}`,
        expect: `"${documentKey('document', PAGE_KEYS - 1)}"`,
      }),
    };
  },
};
