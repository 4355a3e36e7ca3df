import type { Socket } from 'socket.io';
import { MAX_UNSENT_BYTES } from '../../shared/limits.ts';

export interface Unsent {
  /** Counts one more answer. One alone has room, however large: its client may be reading. */
  hasRoomFor(bytes: number): boolean;
  isNothingWaiting(): boolean;
  /** Resolves once all that is unsent now has left the process; false after so many milliseconds. */
  taken(ms: number): Promise<boolean>;
}

/**
 * Bytes of answers that the client has not taken. Engine.IO hands its whole buffer to the transport
 * at `flush`, and the transport is writable again once that has left the process.
 */
export function countUnsent({ conn }: Socket): Unsent {
  let waiting = 0;
  let leaving = 0;
  conn.on('flush', () => {
    leaving = waiting;
    waiting = 0;
  });
  return {
    isNothingWaiting: () => waiting === 0,

    taken(ms) {
      const isPolling = (): boolean => conn.transport.name === 'polling';
      let isBuffered = waiting > 0;
      if (!isBuffered && (isPolling() || conn.transport.writable)) return Promise.resolve(true);
      return new Promise((resolve) => {
        const watched = new Set([conn.transport]);
        const done = (isTaken: boolean): void => {
          clearTimeout(timer);
          conn.off('flush', onFlush).off('upgrade', onUpgrade).off('close', onClose);
          for (const transport of watched) transport.off('ready', onReady);
          resolve(isTaken);
        };
        const onFlush = (): void => {
          isBuffered = false;
          if (isPolling()) done(true);
        };
        const onReady = (): void => {
          if (!isBuffered) done(true);
        };
        const onUpgrade = (): void => {
          watched.add(conn.transport);
          conn.transport.on('ready', onReady);
        };
        const onClose = (): void => done(true);
        const timer = setTimeout(() => done(false), ms);
        conn.on('flush', onFlush).on('upgrade', onUpgrade).on('close', onClose);
        conn.transport.on('ready', onReady);
      });
    },

    hasRoomFor(bytes) {
      if (conn.transport.writable || conn.transport.name === 'polling') leaving = 0;
      const unsent = waiting + leaving;
      waiting += bytes;
      return unsent === 0 || unsent + bytes <= MAX_UNSENT_BYTES;
    },
  };
}
