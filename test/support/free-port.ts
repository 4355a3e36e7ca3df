import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that the system gives to whoever asks for any (from 32,768 on): nobody else takes one before its
 * server starts, nor while that is down. Each of the workers that run at once has some of its own.
 */
const FIRST_PORT = 11_000;
const PORTS_OF_WORKER = 2_000;
const WORKERS = 10;

const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
let turn = Math.floor(Math.random() * PORTS_OF_WORKER);

/** For a server that cannot tell which port it took, or that is to come back on it. */
export async function freePort(): Promise<number> {
  for (;;) {
    turn = (turn + 1) % PORTS_OF_WORKER;
    const port = FIRST_PORT + worker * PORTS_OF_WORKER + turn;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    await new Promise((closed) => server.close(closed));
    return true;
  } catch {
    return false;
  }
}
