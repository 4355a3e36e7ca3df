import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { basicAuth, credentials } from '../credentials.ts';
import { DOCUMENT_BYTES, documentKey, documentText, PAGE_KEYS } from '../documents.ts';
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

/** The same, with further settings, and documents of another size. */
export async function startKeystow(
  name: string,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  documentBytes = DOCUMENT_BYTES,
): Promise<RunningPeer> {
  const port = String(await freePort());
  const plainUrl = `http://127.0.0.1:${port}`;
  const listener = { PORT: port, TLS: 'off' };
  return start(name, folder, plainUrl, { ...listener, ...settings }, documentBytes);
}

/** The same over TLS, with the certificate that it makes for itself at its first start. */
export async function startSecureKeystow(
  name: string,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningPeer> {
  const securePort = String(await freePort());
  const port = String(await freePort());
  const listeners = { PORT: securePort, TLS: 'on', HTTP_PORT: port };
  const plain = await start(name, folder, `http://127.0.0.1:${port}`, {
    ...listeners,
    ...settings,
  });
  const ca = await readFile(`${folder}/certs/server.crt`, 'utf8');
  return { ...plain, url: `https://127.0.0.1:${securePort}`, ca };
}

async function start(
  name: string,
  folder: string,
  url: string,
  settings: Readonly<Record<string, string>>,
  documentBytes = DOCUMENT_BYTES,
): Promise<RunningPeer> {
  const textOf = (key: string) => documentText(key, documentBytes);
  const server = await startServer({
    name,
    command: process.execPath,
    args: [program, 'serve'],
    folder,
    env: {
      HOST: '127.0.0.1',
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
    create: (key) => ({ method: 'POST', path: `/data/${key}`, body: textOf(key) }),
    get: (key) => ({ method: 'GET', path: `/data/${key}`, expect: textOf(key) }),
    list: () => ({
      method: 'GET',
      path: `/data?limit=${PAGE_KEYS}`,
      expect: `"${documentKey('document', PAGE_KEYS - 1)}"`,
    }),
  };
}
