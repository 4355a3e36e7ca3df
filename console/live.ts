import { signal } from '@preact/signals';
import { type KeystowClient, KeystowClientError, type WatchItem } from '../shared/client/index.ts';
import { backoff, pause } from '../shared/client/pause.ts';

/** One change feed for the whole tab; views hear of what concerns them. */

export type LiveState =
  | { readonly kind: 'off' | 'live' | 'paused' }
  | { readonly kind: 'retrying' | 'failed'; readonly reason: string };

type Listener = (item: WatchItem) => void;

export const liveState = signal<LiveState>({ kind: 'off' });

const listeners = new Set<Listener>();
/** A tab that nobody sees holds no connection for longer: browsers open only six to one server. */
const HIDDEN_MS = 10_000;
const LONGEST_PAUSE_MS = 10_000;

let stop = (): void => {};

/** Tells of every change from now on that the user may read; returns what ends it. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `isStillTaken` is asked where the feed is refused, as it is when the user was changed. */
export function startLive(client: KeystowClient, isStillTaken: () => Promise<boolean>): void {
  stopLive();
  let since: number | undefined;
  let watching: AbortController | undefined;
  let hiding: ReturnType<typeof setTimeout> | undefined;

  const show = (): void => {
    clearTimeout(hiding);
    if (document.hidden) {
      hiding = setTimeout(() => {
        watching?.abort();
        watching = undefined;
        liveState.value = { kind: 'paused' };
      }, HIDDEN_MS);
    } else if (!watching) {
      watching = new AbortController();
      void follow(watching.signal);
    }
  };

  async function follow(ended: AbortSignal): Promise<void> {
    liveState.value = { kind: 'live' };
    const onRetry = (error: KeystowClientError): void => {
      liveState.value = { kind: 'retrying', reason: error.message };
    };
    const onConnect = (): void => {
      liveState.value = { kind: 'live' };
    };
    for (let attempt = 0; !ended.aborted; attempt += 1) {
      const from = since === undefined ? {} : { since };
      try {
        for await (const item of client.watch({ signal: ended, onRetry, onConnect, ...from })) {
          since = item.seq;
          attempt = 0;
          for (const listener of listeners) listener(item);
        }
        return;
      } catch (error) {
        if (ended.aborted) return;
        if (!isRefusal(error) || !(await isStillTaken())) {
          if (!ended.aborted) liveState.value = { kind: 'failed', reason: messageOf(error) };
          return;
        }
        liveState.value = { kind: 'retrying', reason: messageOf(error) };
        await pause(backoff(attempt, LONGEST_PAUSE_MS), ended).catch(() => undefined);
      }
    }
  }

  document.addEventListener('visibilitychange', show);
  stop = () => {
    document.removeEventListener('visibilitychange', show);
    clearTimeout(hiding);
    watching?.abort();
    liveState.value = { kind: 'off' };
  };
  show();
}

export function stopLive(): void {
  stop();
  stop = () => {};
}

function isRefusal(error: unknown): boolean {
  return error instanceof KeystowClientError && error.code === 'unauthenticated';
}

function messageOf(error: unknown): string {
  return error instanceof KeystowClientError ? error.message : 'The feed has ended.';
}
