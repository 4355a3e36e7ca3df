import { EventEmitter, once } from 'node:events';
import type { Change, Unwatched, WatchAnswer } from '../../shared/changes.ts';
import type { Client } from '../socket/client.ts';

/** What a socket's watches are told. */
export interface Watcher {
  /** As they came, with the number of their watch. */
  readonly told: readonly { readonly watch: number; readonly change: Change }[];
  readonly unwatched: readonly Unwatched[];
  watch(request: unknown): Promise<WatchAnswer>;
  unwatch(id?: number): Promise<unknown>;
  changes(watch: number): Change[];
  /** Resolves once it holds; rejects where the socket goes first. */
  until(holds: () => boolean): Promise<void>;
}

export function createWatcher(client: Client): Watcher {
  const told: { watch: number; change: Change }[] = [];
  const unwatched: Unwatched[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  // The types of the client know 'http message' alone.
  client.onAny((event: string, ...args: unknown[]) => {
    if (event === 'change') told.push({ change: args[0] as Change, watch: Number(args[1]) });
    if (event === 'unwatched') unwatched.push(args[0] as Unwatched);
    arrivals.emit('arrival');
  });
  client.on('disconnect', () => arrivals.emit('arrival'));
  const ask = <T>(event: string, ...args: unknown[]): Promise<T> =>
    new Promise((resolve) => {
      Reflect.apply(client.emit, client, [event, ...args, resolve]);
    });
  return {
    told,
    unwatched,
    watch: (request) => ask<WatchAnswer>('watch', request),
    unwatch: (id) => (id === undefined ? ask('unwatch') : ask('unwatch', id)),
    changes: (watch) => told.filter((one) => one.watch === watch).map(({ change }) => change),
    async until(holds) {
      while (!holds()) {
        if (!client.connected) throw new Error(`Disconnected: ${JSON.stringify(told.slice(-3))}`);
        await once(arrivals, 'arrival');
      }
    },
  };
}

/** The data of an answer 200. */
export function begun({ status, data }: WatchAnswer): { watch: number; since: number } {
  if (status !== 200 || !('watch' in data)) throw new Error(`Refused: ${JSON.stringify(data)}`);
  return data;
}
