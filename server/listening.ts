import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { SHUTDOWN_GRACE_MS } from '../shared/limits.ts';
import { ConfigError } from './config.ts';
import type { Listener } from './http/listener.ts';
import type { Bridge } from './socket/bridge.ts';

/** A listener on its port, until it is stopped. */
export interface Listening {
  readonly listener: Listener<Bridge>;
  /** Such as `https://localhost:6375`. */
  readonly url: string;
}

export interface Address {
  /** The setting that the port came from, for what an error says. */
  readonly setting: 'PORT' | 'HTTP_PORT';
  readonly port: number;
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  readonly scheme: 'http' | 'https';
}

/** Rejects with ConfigError where the port cannot be had. */
export async function startListening(
  listener: Listening['listener'],
  address: Address,
): Promise<Listening> {
  const { port } = await listen(listener.server, address);
  return { listener, url: `${address.scheme}://${nameOf(address.host)}:${port}` };
}

function listen(
  server: Listening['listener']['server'],
  { setting, port, host }: Address,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${host ?? 'all interfaces'}, port ${port}`;
      const hostSetting = setting.replace('PORT', 'HOST');
      reject(
        new ConfigError(
          error.code === 'EADDRINUSE'
            ? `${where} is in use: stop what listens there, or choose another ${setting}.`
            : `Cannot listen on ${where} (${error.message}): change ${hostSetting} or ${setting}.`,
        ),
      );
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
    });
  });
}

/** What a client on this machine would call the address. */
function nameOf(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** Finishes what is in flight, 10 s at most. */
export async function stopListening({ listener }: Listening, log: Logger): Promise<void> {
  const bridge = listener.attached;
  let deadline: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    deadline = setTimeout(() => {
      log.warn('requests in flight were cut off');
      resolve();
    }, SHUTDOWN_GRACE_MS);
  });
  listener.refuseKeepAlive();
  // Polling clients connect anew to fetch their last answers, so the port stays open for them.
  await Promise.race([bridge.drain(), tooLate]);
  listener.stopListening();
  await Promise.race([listener.idle(), tooLate]);
  clearTimeout(deadline);
  bridge.close();
  await listener.close();
}
