import { once } from 'node:events';
import { createServer } from 'node:net';

/** For a server that cannot tell which port it took. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('There is no free port.');
  return port;
}

/** Distinct ones: they are held until all are known. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((closed) => server.close(closed));
      if (address === null || typeof address !== 'object') throw new Error('There is no port.');
      return address.port;
    }),
  );
}
