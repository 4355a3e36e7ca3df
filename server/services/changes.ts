import type { Change, ChangePage } from '../../shared/changes.ts';
import { KeystowError } from '../../shared/errors.ts';
import { HEARTBEAT_MS, MAX_FEEDS } from '../../shared/limits.ts';
import type { KvStore } from '../stores/kv-store.ts';
import { createChangePages, type LogEntry } from './change-pages.ts';
import { checkAllowed, isAllowed, type Principal } from './grants.ts';
import { principalChanged, toPrincipal, type Users } from './users.ts';

/** The change feed: what was written to documents and objects, once each, in order. */

/** One resource, or those whose names begin with a prefix: `data/KEY` or `BUCKET/KEY`. */
export type ChangeFilter = { readonly resource: string } | { readonly prefix: string };

export interface PageQuery {
  /** The last number that is known; undefined: from the oldest change on. */
  readonly since: number | undefined;
  readonly limit: number;
  /** How long to wait for a first change. */
  readonly waitMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/**
 * Who may not read a resource is not told of its changes. All reject with KeystowError `gone` (with the oldest number
 * that works), `forbidden` for a single resource, `unauthenticated` once the user's password was changed or the user
 * removed, and `unavailable` for too many feeds or when the server stops.
 */
export interface Changes {
  page(by: Principal, filter: ChangeFilter, query: PageQuery): Promise<ChangePage>;
  /**
   * What comes after `since`, or from now on, until the signal: a first page at once, then pages as they come, and
   * an empty one where HEARTBEAT_MS have passed without any. What the reader does not take is not read.
   */
  follow(
    by: Principal,
    filter: ChangeFilter,
    since: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<ChangePage, void>;
  /** Feeds under way, and where the one is that is furthest behind. */
  state(): { readonly feeds: number; readonly furthestBehind: number | undefined };
  /** Ends every feed. */
  close(): void;
}

/** Entries that one request looks through: grants may hide most of them. */
const MAX_SCANNED = 10_000;

interface Feed {
  principal: Principal;
  readonly passwordHash: string;
  /** The user's record was changed. */
  isStale: boolean;
  cursor: number;
  wake: (() => void) | undefined;
}

export function createChanges(options: {
  readonly store: KvStore;
  readonly users: Users;
  readonly heartbeatMs?: number | undefined;
}): Changes {
  const { store, users, heartbeatMs = HEARTBEAT_MS } = options;
  const pages = createChangePages(store);
  const feeds = new Set<Feed>();
  let stopListening: (() => void) | undefined;
  let commits = 0;
  let isClosed = false;

  users.onChange((name) => {
    for (const feed of feeds) {
      if (feed.principal.name !== name) continue;
      feed.isStale = true;
      feed.wake?.();
    }
  });

  function onCommit(): void {
    commits += 1;
    pages.renew();
    for (const feed of feeds) feed.wake?.();
  }

  async function open(by: Principal, filter: ChangeFilter, cursor: number): Promise<Feed> {
    if (isClosed) throw stopping();
    if (feeds.size >= MAX_FEEDS) {
      throw new KeystowError('unavailable', 'Too many feeds are open here: try again later.', {
        headers: { 'Retry-After': '5' },
      });
    }
    if ('resource' in filter) checkAllowed(by, 'read', filter.resource);
    const user = await users.find(by.name);
    if (user?.version !== by.version) throw principalChanged(by);
    const { passwordHash } = user;
    const feed = { principal: by, passwordHash, isStale: false, cursor, wake: undefined };
    feeds.add(feed);
    if (!stopListening) {
      stopListening = store.onCommit(onCommit);
      // While nobody listened, a reading under way may have missed a commit.
      pages.renew();
    }
    return feed;
  }

  function end(feed: Feed): void {
    feeds.delete(feed);
    if (feeds.size > 0) return;
    stopListening?.();
    stopListening = undefined;
  }

  async function recheck(feed: Feed): Promise<void> {
    feed.isStale = false;
    const user = await users.find(feed.principal.name);
    if (user?.passwordHash !== feed.passwordHash) throw principalChanged(feed.principal);
    feed.principal = toPrincipal(user);
  }

  /** Moves on by up to `limit` visible changes; resolves with what of the entries the feed's user sees. */
  async function advance(feed: Feed, filter: ChangeFilter, limit: number): Promise<ChangePage> {
    if (feed.isStale) await recheck(feed);
    const entries = await pages.read(feed.cursor);
    const changes: Change[] = [];
    for (const entry of entries) {
      if (feed.isStale || entry.user === feed.principal.name) await recheck(feed);
      const change = visibleChange(entry, filter, feed.principal);
      if (change) changes.push(change);
      feed.cursor = entry.seq;
      if (changes.length === limit) break;
    }
    return { changes, next: feed.cursor };
  }

  /** Resolves after a commit, when the user changed, after so many milliseconds, or at the signal. */
  async function wait(feed: Feed, seen: number, ms: number, signal: AbortSignal): Promise<void> {
    if (commits !== seen || feed.isStale || isClosed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        feed.wake = undefined;
        resolve();
      };
      // Node 24 warns of a time that is just over.
      const timer = setTimeout(done, Math.max(0, ms));
      signal.addEventListener('abort', done);
      feed.wake = done;
    });
  }

  return {
    async page(by, filter, { since, limit, waitMs, signal }) {
      const feed = await open(by, filter, since ?? (await store.oldestChange()));
      try {
        const until = performance.now() + waitMs;
        const changes: Change[] = [];
        for (let scanned = 0; ; ) {
          const [before, seen] = [feed.cursor, commits];
          const page = await advance(feed, filter, limit - changes.length);
          changes.push(...page.changes);
          scanned += page.next - before;
          const isAtHead = page.next === before;
          const isOver = signal.aborted || isClosed || performance.now() >= until;
          const isEnough = changes.length === limit || scanned >= MAX_SCANNED;
          if (isEnough || (isAtHead && (changes.length > 0 || isOver))) {
            return { changes, next: page.next };
          }
          if (isAtHead) await wait(feed, seen, until - performance.now(), signal);
        }
      } finally {
        end(feed);
      }
    },

    async *follow(by, filter, since, signal) {
      const feed = await open(by, filter, since ?? (await store.sequence()));
      // Whoever asked may be gone without another word to this generator.
      const leave = (): void => end(feed);
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      try {
        // The first page at once: who asks is told that it works.
        let said = Number.NEGATIVE_INFINITY;
        do {
          const [before, seen] = [feed.cursor, commits];
          const page = await advance(feed, filter, Number.POSITIVE_INFINITY);
          if (page.changes.length > 0 || performance.now() - said >= heartbeatMs) {
            yield page;
            said = performance.now();
          }
          const quietUntil = said + heartbeatMs;
          if (page.next === before) await wait(feed, seen, quietUntil - performance.now(), signal);
          if (isClosed) throw stopping();
        } while (!signal.aborted);
      } finally {
        end(feed);
      }
    },

    state() {
      const cursors = [...feeds].map(({ cursor }) => cursor);
      return {
        feeds: feeds.size,
        furthestBehind: cursors.length > 0 ? Math.min(...cursors) : undefined,
      };
    },

    close() {
      isClosed = true;
      for (const feed of feeds) feed.wake?.();
    },
  };
}

function visibleChange(
  { visible }: LogEntry,
  filter: ChangeFilter,
  principal: Principal,
): Change | undefined {
  if (!visible) return undefined;
  const { resource, change } = visible;
  const isWanted =
    'resource' in filter ? resource === filter.resource : resource.startsWith(filter.prefix);
  return isWanted && isAllowed(principal, 'read', resource) ? change : undefined;
}

function stopping(): KeystowError {
  return new KeystowError('unavailable', 'The server is stopping: connect again and go on.');
}

/** A client of a feed has taken nothing for too long. */
export function tooSlow(): KeystowError {
  return new KeystowError(
    'unavailable',
    'The client took too long to read: connect again and go on.',
  );
}
