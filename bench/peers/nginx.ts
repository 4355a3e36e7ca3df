import { mkdir, writeFile } from 'node:fs/promises';
import { freePort, startServer } from '../processes.ts';
import { type UploadPeer, withPut } from './upload-peer.ts';

/** nginx's PUT (its DAV module): each object a file, renamed into its place, not synced. */
export const nginx: UploadPeer = {
  name: 'nginx PUT',
  needs: [{ program: 'nginx', aptPackage: 'nginx-light' }],
  async start(folder) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await mkdir(`${folder}/data`);
    await writeFile(`${folder}/nginx.conf`, configuration(folder, port));
    const server = await startServer({
      name: 'nginx',
      command: 'nginx',
      args: ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'],
      folder,
      readyUrl: `${url}/ready`,
    });
    return withPut({ name: 'nginx PUT', url, headers: {}, processes: [server] });
  },
};

// Its workers would otherwise be a user who may not write here.
const user = process.getuid?.() === 0 ? 'user root root;' : '';

/** Other than nginx's defaults: bodies of any size, connections that stay, no log of requests. */
const configuration = (folder: string, port: number) => `
${user}
daemon off;
pid ${folder}/nginx.pid;
worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 0;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/bodies;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/data;
    dav_methods PUT;
    create_full_put_path on;
    location = /ready { return 200; }
  }
}
`;
