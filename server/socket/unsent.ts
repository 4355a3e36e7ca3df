import type { Socket } from 'socket.io';
import { MAX_UNSENT_BYTES } from '../../shared/limits.ts';

export interface Unsent {
  /** Counts what is sent next. One answer alone has room, however large: its client may be reading. */
  hasRoomFor(bytes: number): boolean;
  isNothingWaiting(): boolean;
  /** Resolves once all that is unsent now has left the process; false after so many milliseconds. */
  taken(ms: number): Promise<boolean>;
}

interface Waiter {
  /** What it waits for has not been handed to the transport yet. */
  isBuffered: boolean;
  done(isTaken: boolean): void;
}

/**
 * Bytes of answers that the client has not taken. Engine.IO hands its whole buffer to the transport
 * at `flush`, and the transport is writable again once that has left the process.
 */
export function countUnsent({ conn }: Socket): Unsent {
  let waiting = 0;
  let leaving = 0;
  const waiters = new Set<Waiter>();
  const isPolling = (): boolean => conn.transport.name === 'polling';

  function tell(): void {
    for (const waiter of waiters) {
      // A poll is answered with all there is; another one is the client's to send.
      if (!waiter.isBuffered && (isPolling() || conn.transport.writable)) waiter.done(true);
    }
  }

  conn.on('flush', () => {
    leaving = waiting;
    waiting = 0;
    for (const waiter of waiters) waiter.isBuffered = false;
    if (isPolling()) tell();
  });
  conn.on('close', () => {
    for (const waiter of waiters) waiter.done(true);
  });
  conn.transport.on('ready', tell);
  conn.on('upgrade', () => {
    conn.transport.on('ready', tell);
    tell();
  });

  return {
    isNothingWaiting: () => waiting === 0,

    taken(ms) {
      const isBuffered = waiting > 0;
      if (!isBuffered && (isPolling() || conn.transport.writable)) return Promise.resolve(true);
      return new Promise((resolve) => {
        const waiter: Waiter = {
          isBuffered,
          done(isTaken) {
            clearTimeout(timer);
            waiters.delete(waiter);
            resolve(isTaken);
          },
        };
        const timer = setTimeout(() => waiter.done(false), ms);
        waiters.add(waiter);
      });
    },

    hasRoomFor(bytes) {
      if (conn.transport.writable || isPolling()) leaving = 0;
      const unsent = waiting + leaving;
      waiting += bytes;
      return unsent === 0 || unsent + bytes <= MAX_UNSENT_BYTES;
    },
  };
}
