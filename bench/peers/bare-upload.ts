import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { freePort, startServer } from '../processes.ts';
import { type UploadPeer, withPut } from './upload-peer.ts';

const program = fileURLToPath(new URL('../bare/upload.js', import.meta.url));

/** `node:http` alone: a PUT goes to a file, is hashed beside it (MD5, in a worker), and synced. */
export const bareUpload: UploadPeer = {
  name: 'bare node:http PUT',
  needs: [],
  async start(folder) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const data = `${folder}/data`;
    await mkdir(data);
    const server = await startServer({
      name: bareUpload.name,
      command: process.execPath,
      args: [program, String(port), data],
      folder,
      readyUrl: `${url}/ready`,
    });
    return withPut({ name: bareUpload.name, url, headers: {}, processes: [server] });
  },
};
