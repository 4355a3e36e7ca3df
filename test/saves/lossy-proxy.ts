import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { intBetween, pick, type Random } from '../faults/random.ts';

/** A TCP proxy as unreliable as a console's wireless: it cuts connections at random bytes of either direction. */

export interface LossyProxy {
  readonly url: string;
  /** Connections that were cut, by the direction whose bytes ended. */
  readonly cuts: { readonly up: number; readonly down: number };
  close(): Promise<void>;
}

const CUT_SHARE = 0.6;
/** Some early, some within a small form, some within a large file or after all of it. */
const UP_BYTES = [400, 1_800, 60_000] as const;
/** An answer without a body is some 500 bytes. */
const DOWN_BYTES = [1, 200, 700] as const;

export async function startLossyProxy(target: string, random: Random): Promise<LossyProxy> {
  const { hostname, port } = new URL(target);
  const cuts = { up: 0, down: 0 };
  const open = new Set<Socket>();

  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const isCut = random() < CUT_SHARE;
    const isUp = random() < 0.5;
    const limit = intBetween(random, 0, pick(random, isUp ? UP_BYTES : DOWN_BYTES));
    const destroy = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('error', destroy).on('close', () => open.delete(socket));
    }
    const forward = (from: Socket, to: Socket, direction: 'up' | 'down'): void => {
      let left = isCut && isUp === (direction === 'up') ? limit : Number.POSITIVE_INFINITY;
      from.on('data', (chunk: Buffer) => {
        if (chunk.length <= left) {
          left -= chunk.length;
          to.write(chunk);
          return;
        }
        cuts[direction] += 1;
        to.write(chunk.subarray(0, left), destroy);
        from.removeAllListeners('data').resume();
      });
      from.on('end', () => to.end());
    };
    forward(client, server, 'up');
    forward(server, client, 'down');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('It has no port.');

  return {
    url: `http://127.0.0.1:${address.port}`,
    cuts,
    async close() {
      proxy.close();
      for (const socket of open) socket.destroy();
      if (proxy.listening) await once(proxy, 'close');
    },
  };
}
