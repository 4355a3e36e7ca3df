import { documentKey, documentText, PAGE_KEYS } from '../documents.ts';
import { fill } from '../load.ts';
import { freePort, startServer } from '../processes.ts';
import type { Peer, RunningPeer } from './peer.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const quoted = (text: string) => `"${base64(text)}"`;

/** One etcd, spoken to through its JSON gateway; it syncs its log before it answers a put. */
export const etcd: Peer = {
  name: 'etcd',
  needs: [{ program: 'etcd', aptPackage: 'etcd-server' }],
  async start(folder, keys) {
    const url = `http://127.0.0.1:${await freePort()}`;
    const peerUrl = `http://127.0.0.1:${await freePort()}`;
    const server = await startServer({
      name: 'etcd',
      command: 'etcd',
      args: [
        ...['--name', 'bench', '--data-dir', `${folder}/data`],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
        ...['--initial-cluster', `bench=${peerUrl}`],
      ],
      folder,
      readyUrl: `${url}/health`,
    });
    const running: RunningPeer = {
      name: 'etcd',
      url,
      headers: { 'content-type': 'application/json' },
      processes: [server],
      create: (key) => ({
        method: 'POST',
        path: '/v3/kv/put',
        body: `{"key":${quoted(key)},"value":${quoted(documentText(key))}}`,
      }),
      get: (key) => ({
        method: 'POST',
        path: '/v3/kv/range',
        body: `{"key":${quoted(key)}}`,
        expect: base64(documentText(key)),
      }),
      // From the byte 0 to the byte 0 is etcd's way to say: all keys.
      list: () => ({
        method: 'POST',
        path: '/v3/kv/range',
        body: `{"key":"AA==","range_end":"AA==","limit":"${PAGE_KEYS}","keys_only":true}`,
        expect: base64(documentKey('document', PAGE_KEYS - 1)),
      }),
    };
    if (keys.length > 0) await fill(running, keys, running.create);
    return running;
  },
};
