import { io } from 'socket.io-client';
import type { ClientOptions } from '../../shared/client/client.ts';
import { createClient, type KeystowClient } from '../../shared/client/index.ts';
import { admin } from '../socket/client.ts';

/** Everything that the client does is tested over both. */
export const TRANSPORTS = ['REST', 'Socket.IO'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

export function clientOver(
  transport: TransportName,
  url: string,
  options: Partial<ClientOptions> = {},
): KeystowClient {
  return createClient({
    url,
    credentials: admin,
    ...(transport === 'REST' ? {} : { io: connect }),
    ...options,
  });
}

function connect(base: string, given: object) {
  return io(base, {
    ...given,
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
  });
}
