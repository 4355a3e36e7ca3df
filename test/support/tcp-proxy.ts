import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that a test can cut, as a cable would be, and a plain load balancer. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection; new ones are refused until `restore`. */
  cut(): void;
  restore(): void;
  /** From now on connections lead there. */
  pointTo(ports: readonly number[]): void;
  stop(): Promise<void>;
}

export interface TcpProxyOptions {
  /** Where connections lead, one after another; those that refuse are passed over. */
  readonly ports: readonly number[];
  /** Those of one client address lead to one port, as long as that one takes them. */
  readonly isSticky?: boolean;
  /** Asked about what the server answers; false: the connection is cut before it gets through. */
  readonly letsThrough?: (chunk: Buffer) => boolean;
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  let { ports } = options;
  let turn = 0;
  const turnOf = new Map<string, number>();
  let isCut = false;
  const open = new Set<Socket>();

  function track(socket: Socket): Socket {
    open.add(socket);
    return socket.once('close', () => open.delete(socket)).on('error', () => {});
  }

  function nextTurn({ remoteAddress = '' }: Socket): number {
    const known = options.isSticky ? turnOf.get(remoteAddress) : undefined;
    if (known === undefined) {
      turnOf.set(remoteAddress, turn);
      turn += 1;
    }
    return known ?? turn - 1;
  }

  /** To the next port that takes a connection. */
  function lead(client: Socket, at = nextTurn(client), attempts = ports.length): void {
    const port = ports[at % ports.length];
    if (port === undefined || attempts === 0) {
      client.destroy();
      return;
    }
    const server = connect(port, '127.0.0.1');
    const retry = (): void => lead(client, at + 1, attempts - 1);
    server.once('error', retry);
    server.once('connect', () => {
      server.off('error', retry);
      if (client.destroyed) server.destroy();
      else join(client, track(server), options.letsThrough);
    });
  }

  const listener = createServer((client) => {
    if (isCut) client.destroy();
    else lead(track(client));
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    cut() {
      isCut = true;
      for (const socket of open) socket.destroy();
    },
    restore() {
      isCut = false;
    },
    pointTo(others) {
      ports = others;
      for (const socket of open) socket.destroy();
    },
    async stop() {
      for (const socket of open) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function join(client: Socket, server: Socket, letsThrough = (_chunk: Buffer): boolean => true) {
  client.on('data', (chunk: Buffer) => server.write(chunk));
  server.on('data', (chunk: Buffer) => {
    if (letsThrough(chunk)) client.write(chunk);
    else client.destroy();
  });
  client.once('close', () => server.destroy());
  server.once('close', () => client.destroy());
}
