import { type ReadonlySignal, signal } from '@preact/signals';
import type { Change, ChangePage } from '../../../shared/changes.ts';
import { KeystowClientError, type WatchItem } from '../../../shared/client/index.ts';
import { isAbort } from '../../parts/explain.ts';
import { isBelow } from './change-path.ts';

/**
 * The change log as it is shown: what was before is read from the server, forwards, as there is no other way; what
 * comes is heard of. Each change once and in order, the newest thousand of them.
 */

export type Entry = Change | Missed;

/** The server did not have what was written up to here any more, or has gone back in time. */
export interface Missed {
  readonly type: 'missed';
  readonly seq: number;
}

export interface ChangeLogState {
  /** Oldest first, at most MAX_ENTRIES. */
  readonly entries: readonly Entry[];
  /** How many there ever were: what has left at the old end is among them. */
  readonly total: number;
  /** `full`: what there is from a number on fills the list, and more is known to come. */
  readonly phase: 'reading' | 'following' | 'full' | 'failed';
  /** What was written up to this number was not looked at; undefined: the log's own beginning. */
  readonly from: number | undefined;
  /** All up to this number was looked at. */
  readonly reached: number;
  readonly head: number;
  readonly isPaused: boolean;
  /** How many have come since the pause began. */
  readonly waiting: number;
  readonly error: unknown;
}

export interface ChangeLog {
  readonly state: ReadonlySignal<ChangeLogState>;
  /** How many have been heard of since it began. */
  heard(): number;
  setPaused(isPaused: boolean): void;
  /** After `full` or `failed`: goes on where it has stopped. */
  readOn(): void;
  end(): void;
}

export interface PageQuery {
  /** The last number that is known; undefined: from the oldest change that is kept. */
  readonly since: number | undefined;
  readonly prefix: string;
  readonly limit: number;
}

/** Where it comes from. */
export interface ChangeSource {
  head(signal: AbortSignal): Promise<number>;
  page(query: PageQuery, signal: AbortSignal): Promise<ChangePage>;
  /** Every change from now on; returns what ends it. */
  listen(listener: (item: WatchItem) => void): () => void;
  /** Calls back when the page is painted next. */
  nextFrame(paint: () => void): void;
}

/** `latest`: some of what was before, and what comes. `oldest`: from the first that is kept. Or from a number on. */
export type Beginning = 'latest' | 'oldest' | number;

export const MAX_ENTRIES = 1_000;
const PAGE = 1_000;
/** Numbers that are looked back over, until there are enough: grants and the prefix may hide most of them. */
const STEPS_BACK = [100, 1_000, 10_000];
const ENOUGH = 100;

const EMPTY: Pick<ChangeLogState, 'entries' | 'total'> = { entries: [], total: 0 };

export function createChangeLog(
  source: ChangeSource,
  { prefix, beginning }: { readonly prefix: string; readonly beginning: Beginning },
): ChangeLog {
  const ended = new AbortController();
  const state = signal<ChangeLogState>({
    entries: [],
    total: 0,
    phase: 'reading',
    from: typeof beginning === 'number' ? beginning : undefined,
    reached: typeof beginning === 'number' ? beginning : 0,
    head: 0,
    isPaused: false,
    waiting: 0,
    error: undefined,
  });
  /** Heard of and not shown yet: the newest of them. */
  let arrived: Entry[] = [];
  let heard = 0;
  let heardAtJoin = 0;
  let isFramed = false;
  /** What is read next takes the place of what is shown, which stays until then. */
  let isAnew = false;
  /** The feed began, or more came than is kept, since the last page was asked for: the log knows what was between. */
  let isBehind = false;

  const update = (change: Partial<ChangeLogState>): void => {
    if (!ended.signal.aborted) state.value = { ...state.value, ...change };
  };

  function show(added: readonly Entry[]): void {
    if (added.length === 0) return;
    const { entries, total } = isAnew ? EMPTY : state.value;
    isAnew = false;
    update({ entries: [...entries, ...added].slice(-MAX_ENTRIES), total: total + added.length });
  }

  function onItem(item: WatchItem): void {
    if (item.type === 'begin') {
      isBehind = true;
      if (state.value.phase === 'following') void read(readToEnd);
      return;
    }
    if (item.type !== 'resync') {
      if (!isBelow(item.url, prefix)) return;
      heard += 1;
    }
    arrived.push(item.type === 'resync' ? { type: 'missed', seq: item.seq } : item);
    if (arrived.length > 2 * MAX_ENTRIES) {
      arrived = arrived.slice(-MAX_ENTRIES);
      isBehind = true;
    }
    if (isFramed) return;
    isFramed = true;
    source.nextFrame(() => {
      isFramed = false;
      if (state.value.phase === 'following') join();
    });
  }

  /** What has arrived goes to the rest, but for what has been read already. */
  function join(): void {
    if (state.value.isPaused) {
      update({ waiting: heard - heardAtJoin });
      return;
    }
    const added: Entry[] = [];
    let { reached } = state.value;
    for (const entry of arrived) {
      // A server that has gone back in time counts from another number on.
      if (entry.type !== 'missed' && entry.seq <= reached) continue;
      added.push(entry);
      reached = entry.seq;
    }
    arrived = [];
    heardAtJoin = heard;
    update({ reached, head: Math.max(reached, state.value.head), waiting: 0 });
    show(added);
  }

  /** Reads pages until there are no more, or `limit` changes; resolves with whether the end was reached. */
  async function readPages(limit: number): Promise<boolean> {
    const { from, reached } = state.value;
    let since = from === undefined && reached === 0 ? undefined : reached;
    let left = limit;
    while (left > 0) {
      isBehind = false;
      const query = { since, prefix, limit: Math.min(left, PAGE) };
      const { changes, next } = await source.page(query, ended.signal);
      ended.signal.throwIfAborted();
      update({ reached: next, head: Math.max(next, state.value.head) });
      show(changes);
      if (next === since && !isBehind) return true;
      since = next;
      left -= changes.length;
    }
    return false;
  }

  async function readToEnd(): Promise<void> {
    await readPages(Number.POSITIVE_INFINITY);
    update({ phase: 'following' });
    join();
  }

  async function readLatest(): Promise<void> {
    const { head } = state.value;
    for (const back of STEPS_BACK) {
      const isAll = await readBack(Math.max(0, head - back));
      if (isAll || state.value.total >= ENOUGH) break;
    }
    update({ phase: 'following' });
    join();
  }

  /** Resolves with whether nothing older is kept. */
  async function readBack(from: number): Promise<boolean> {
    try {
      await readAnew(from);
      return from === 0;
    } catch (error) {
      const oldest = oldestOf(error);
      if (oldest === undefined || oldest <= from) throw error;
      await readAnew(oldest);
      return true;
    }
  }

  async function readAnew(from: number): Promise<void> {
    isAnew = true;
    update({ from, reached: from });
    await readPages(Number.POSITIVE_INFINITY);
    isAnew = false;
  }

  async function readForward(): Promise<void> {
    if (await readPages(MAX_ENTRIES)) {
      update({ phase: 'following' });
      join();
    } else update({ phase: 'full' });
  }

  async function read(reading: () => Promise<void>): Promise<void> {
    update({ phase: 'reading', error: undefined });
    try {
      if (state.value.head === 0) update({ head: await source.head(ended.signal) });
      await reading();
    } catch (error) {
      if (!ended.signal.aborted && !isAbort(error)) update({ phase: 'failed', error });
    }
  }

  const begin = beginning === 'latest' ? readLatest : readForward;
  const stop = source.listen(onItem);
  void read(begin);

  return {
    state,
    heard: () => heard,
    setPaused(isPaused) {
      update({ isPaused });
      if (state.value.phase === 'following') join();
    },
    readOn: () => void read(begin),
    end() {
      stop();
      ended.abort();
    },
  };
}

function oldestOf(error: unknown): number | undefined {
  return error instanceof KeystowClientError ? error.oldest : undefined;
}
