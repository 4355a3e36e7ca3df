import type { Change } from '../changes.ts';
import { KeystowClientError } from './client-error.ts';
import type { FeedItem, OpenFeed } from './feed.ts';
import { backoff, pause } from './pause.ts';

/** Changes as they come, over as many connections as it takes. */

export interface WatchOptions {
  /** Beginning of the paths to hear of, such as `/data/players/`; without it, all that the user may read. */
  readonly prefix?: string;
  /** One document or object alone, such as `/data/test`. Not together with `prefix`. */
  readonly url?: string;
  /** The last number that is known; without it the watch begins now. */
  readonly since?: number;
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal;
  /** Told of each lost connection, and in how many milliseconds the next is tried. */
  readonly onRetry?: (error: KeystowClientError, ms: number) => void;
  /** Told of each connection that brings the feed: the first, and each after a lost one. */
  readonly onConnect?: () => void;
}

export type WatchItem =
  /** A write; `seq` is what a later watch goes on from. */
  | Change
  /** The first item without `since`: what was written up to `seq` is not told of. */
  | { readonly type: 'begin'; readonly seq: number }
  /**
   * Changes were missed: the server does not have them any more, or has gone back in time. Read again
   * all that is followed: what was written up to `seq` is not told of.
   */
  | { readonly type: 'resync'; readonly seq: number };

const LONGEST_PAUSE_MS = 10_000;
/** What a later attempt can mend; with anything else the watch rejects. */
const PASSING = new Set(['network', 'timeout', 'unavailable', 'too-many-requests', 'internal']);

/**
 * Each change once, in order, whatever happens to connections. Rejects with a KeystowClientError where trying again
 * is of no use: `unauthenticated`, `forbidden`, `bad-request`.
 */
export async function* watchFeed(
  open: OpenFeed,
  options: WatchOptions,
): AsyncGenerator<WatchItem, void> {
  const { prefix, url, since, signal = new AbortController().signal } = options;
  let cursor = since;
  let beginning: 'begin' | 'resync' = 'begin';
  let attempt = 0;
  while (!signal.aborted) {
    const isNew = cursor === undefined;
    let isConnected = false;
    const feed = open({ prefix, url, since: cursor, signal });
    try {
      for await (const item of feed) {
        attempt = 0;
        if (!isConnected) options.onConnect?.();
        isConnected = true;
        if (isNew && cursor === undefined) yield { type: beginning, seq: seqOf(item) };
        cursor = seqOf(item);
        if (item.type === 'change') yield item.change;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KeystowClientError)) throw error;
      if (error.code === 'gone') {
        cursor = undefined;
        beginning = 'resync';
      } else if (isPassing(error)) {
        const ms = Math.max(backoff(attempt, LONGEST_PAUSE_MS), (error.retryAfter ?? 0) * 1_000);
        attempt += 1;
        options.onRetry?.(error, ms);
        await pause(ms, signal).catch(() => undefined);
      } else throw error;
    }
  }
}

function seqOf(item: FeedItem): number {
  return item.type === 'change' ? item.change.seq : item.seq;
}

/** A proxy whose server is away answers as it likes. */
function isPassing({ code, status }: KeystowClientError): boolean {
  return PASSING.has(code) || (code === 'unexpected' && status >= 500);
}
