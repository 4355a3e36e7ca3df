import { writeFile } from 'node:fs/promises';
import { documentText } from '../documents.ts';
import { fill } from '../load.ts';
import { freePort, startServer } from '../processes.ts';
import type { Peer, RunningPeer } from './peer.ts';

/** webdis before a redis that syncs its append-only file before it answers. */
export const webdis: Peer = {
  name: 'webdis + redis',
  needs: [
    { program: 'redis-server', aptPackage: 'redis-server' },
    { program: 'webdis', aptPackage: 'webdis' },
  ],
  async start(folder, keys) {
    const redisPort = await freePort();
    const redis = await startServer({
      name: 'redis',
      command: 'redis-server',
      args: [
        ...['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', folder],
        ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      ],
      folder,
    });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const config = {
      redis_host: '127.0.0.1',
      redis_port: redisPort,
      http_host: '127.0.0.1',
      http_port: port,
      threads: 2,
      pool_size: 20,
      daemonize: false,
      websockets: false,
      verbosity: 0,
      logfile: `${folder}/webdis-requests.log`,
    };
    await writeFile(`${folder}/webdis.json`, JSON.stringify(config));
    const server = await startServer({
      name: 'webdis',
      command: 'webdis',
      args: [`${folder}/webdis.json`],
      folder,
      readyUrl: `${url}/PING`,
    });
    const running: RunningPeer = {
      name: 'webdis + redis',
      url,
      headers: { 'content-type': 'application/json' },
      processes: [redis, server],
      create: (key) => ({
        method: 'PUT',
        path: `/SET/${key}`,
        body: documentText(key),
        expect: '"OK"',
      }),
      get: (key) => ({
        method: 'GET',
        path: `/GET/${key}`,
        expect: JSON.stringify(documentText(key)),
      }),
    };
    if (keys.length > 0) await fill(running, keys, running.create);
    return running;
  },
};
