import { fileURLToPath } from 'node:url';
import { basicAuth, credentials } from '../credentials.ts';
import { documentKey, documentText, PAGE_KEYS } from '../documents.ts';
import { fill } from '../load.ts';
import { freePort, startServer } from '../processes.ts';
import { accessKey } from '../signed-form.ts';
import type { Peer, RunningPeer } from './peer.ts';

const program = fileURLToPath(new URL('../../server/cli/keystow.js', import.meta.url));

/** Keystow over plain HTTP, everything else as it comes; logs from `warn` unless LOG_LEVEL is set. */
export const keystow: Peer = {
  name: 'Keystow',
  needs: [],
  async start(folder, keys) {
    const running = await startKeystow('Keystow', folder);
    if (keys.length > 0) await fill(running, keys, running.create);
    return running;
  },
};

/** The same, with further settings. */
export async function startKeystow(
  name: string,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningPeer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name,
    command: process.execPath,
    args: [program, 'serve'],
    folder,
    env: {
      PORT: String(port),
      HOST: '127.0.0.1',
      TLS: 'off',
      DATA_DIR: `${folder}/data`,
      ADMIN_PASSWORD: credentials.password,
      ACCESS_KEY_ID: accessKey.accessKeyId,
      SECRET_ACCESS_KEY: accessKey.secretAccessKey,
      // The peers write no line per request either.
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn',
      ...settings,
    },
    readyUrl: `${url}/api/health`,
  });
  return {
    name,
    url,
    headers: { authorization: basicAuth, 'content-type': 'application/json' },
    processes: [server],
    create: (key) => ({ method: 'POST', path: `/data/${key}`, body: documentText(key) }),
    get: (key) => ({ method: 'GET', path: `/data/${key}`, expect: documentText(key) }),
    list: () => ({
      method: 'GET',
      path: `/data?limit=${PAGE_KEYS}`,
      expect: `"${documentKey('document', PAGE_KEYS - 1)}"`,
    }),
  };
}
