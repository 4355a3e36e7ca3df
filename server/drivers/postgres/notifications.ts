import pg from 'pg';
import { type DatabaseOptions, prepareConnection } from './database.ts';

/** Tells of commits, those of other nodes too: `keystow_commit` notifies. */
export interface Notifications {
  /** Returns what ends it. */
  listen(listener: () => void): () => void;
  close(): Promise<void>;
}

/**
 * How often listeners are called whatever is heard: a notification is lost with its connection, and poolers may
 * pass none on. In milliseconds; a lost connection is made again then, too.
 */
const TICK_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

export function createNotifications({ url, onIdleError }: DatabaseOptions): Notifications {
  const listeners = new Set<() => void>();
  let connection: pg.Client | undefined;
  let connecting: Promise<void> | undefined;
  let ticking: NodeJS.Timeout | undefined;
  let isAway = false;

  function tell(): void {
    for (const listener of listeners) listener();
  }

  /** A connection of its own: what listens cannot go back to the pool. */
  async function connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'keystow',
    });
    const lose = (): void => {
      if (connection === client) connection = undefined;
    };
    client.on('notification', tell).on('end', lose);
    client.on('error', (error) => {
      lose();
      onIdleError(error);
    });
    try {
      await client.connect();
      await prepareConnection(client);
      await client.query('listen keystow');
      connection = client;
      isAway = false;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }

  function tick(): void {
    tell();
    if (connection) return;
    connecting ??= connect()
      .catch((error) => {
        if (!isAway) onIdleError(error);
        isAway = true;
      })
      .finally(() => {
        connecting = undefined;
      });
  }

  async function disconnect(): Promise<void> {
    clearInterval(ticking);
    ticking = undefined;
    await connecting;
    await connection?.end().catch(() => {});
  }

  return {
    listen(listener) {
      listeners.add(listener);
      if (!ticking) {
        ticking = setInterval(tick, TICK_MS).unref();
        tick();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) void disconnect();
      };
    },
    close: disconnect,
  };
}
