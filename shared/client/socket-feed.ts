import type { Change, Unwatched, WatchAnswer } from '../changes.ts';
import { codeOf, KeystowClientError } from './client-error.ts';
import type { FeedItem, OpenFeed } from './feed.ts';
import { type ClientSocket, connected } from './socket-transport.ts';

/** `watch` over Socket.IO. */

/** Changes that wait for a slow caller; with more the server is told to stop, and goes on later. */
const MAX_WAITING = 1_000;

export function createSocketFeed(socket: ClientSocket, timeoutMs: number): OpenFeed {
  return async function* open({ prefix, url, since, signal }) {
    await connected(socket, { timeoutMs, signal });
    const waiting: FeedItem[] = [];
    let watch: number | undefined;
    let end: { readonly error?: unknown } | undefined;
    let wake: (() => void) | undefined;

    const finish = (error?: unknown): void => {
      end ??= { error };
      wake?.();
    };
    const onChange = (change: unknown, id: unknown): void => {
      if (id !== watch || end || !isChange(change)) return;
      waiting.push({ type: 'change', change });
      wake?.();
      if (waiting.length < MAX_WAITING) return;
      socket.emit('unwatch', watch);
      finish();
    };
    const onUnwatched = (told: unknown): void => {
      if (!isUnwatched(told) || told.watch !== watch) return;
      const { status, error, oldest } = told;
      finish(new KeystowClientError(codeOf(status), error, { status, oldest }));
    };
    const onGone = (reason: unknown): void => {
      finish(new KeystowClientError('network', `The socket was closed: ${String(reason)}.`));
    };
    const onAbort = (): void => finish(signal.reason);
    const onAnswer = ({ status, data }: WatchAnswer): void => {
      if ('error' in data) {
        const { error, oldest } = data;
        finish(new KeystowClientError(codeOf(status), error, { status, oldest }));
        return;
      }
      watch = data.watch;
      // Nobody waits for it any more.
      if (end) socket.emit('unwatch', watch);
      waiting.push({ type: 'cursor', seq: data.since });
      wake?.();
    };

    socket.on('change', onChange);
    socket.on('unwatched', onUnwatched);
    socket.on('disconnect', onGone);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => {
      if (watch === undefined)
        finish(new KeystowClientError('timeout', 'The watch did not begin.'));
    }, timeoutMs);
    try {
      socket.emit('watch', { prefix, url, since }, onAnswer);
      for (;;) {
        const item = waiting.shift();
        if (item) yield item;
        else if (end?.error !== undefined) throw end.error;
        else if (end) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
      }
    } finally {
      clearTimeout(timer);
      socket.off('change', onChange);
      socket.off('unwatched', onUnwatched);
      socket.off('disconnect', onGone);
      signal.removeEventListener('abort', onAbort);
      if (!end) {
        end = {};
        if (watch !== undefined && socket.connected) socket.emit('unwatch', watch);
      }
    }
  };
}

function isChange(value: unknown): value is Change {
  return typeof value === 'object' && value !== null && 'seq' in value && 'url' in value;
}

function isUnwatched(value: unknown): value is Unwatched {
  return typeof value === 'object' && value !== null && 'watch' in value && 'status' in value;
}
