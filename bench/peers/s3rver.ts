import { createRequire } from 'node:module';
import { freePort, startServer } from '../processes.ts';
import { BUCKET } from '../signed-form.ts';
import { type UploadPeer, withForms } from './upload-peer.ts';

const program = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');

/** s3rver 3.7: each object a file, not synced; it looks at neither a form's policy nor its signature. */
export const s3rver: UploadPeer = {
  name: 's3rver',
  needs: [],
  async start(folder) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = await startServer({
      name: 's3rver',
      command: process.execPath,
      args: [
        ...[program, '--silent', '--directory', `${folder}/data`, '--no-vhost-buckets'],
        ...['--address', '127.0.0.1', '--port', String(port), '--configure-bucket', BUCKET],
      ],
      folder,
      readyUrl: `${url}/${BUCKET}`,
    });
    return withForms({ name: 's3rver', url, headers: {}, processes: [server] });
  },
};
