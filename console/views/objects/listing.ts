import type { ObjectPage } from '../../api/object-page.ts';
import { compareBytes } from '../../parts/byte-order.ts';
import { isAbort } from '../../parts/explain.ts';
import { type Entry, entriesOf, keyOf } from './folder.ts';

/** What a folder shows, page by page, and anew where something has changed. */

export interface ListingState {
  /** What the entries are of. */
  readonly prefix: string;
  readonly entries: readonly Entry[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
}

export interface Listing {
  /** Reads the next page, unless one is being read. */
  more(): void;
  /** Reads as much again as there is; changes that follow closely are read together. */
  renew(): void;
  /** The same, where the change of this key can be seen in what was read. */
  hear(key: string, type: 'put' | 'delete'): void;
  end(): void;
}

export type ReadPage = (query: {
  readonly after: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
}) => Promise<ObjectPage>;

export const NOTHING_YET: ListingState = {
  prefix: '',
  entries: [],
  hasMore: true,
  isLoading: true,
  error: undefined,
};

const PAGE = 200;
/** The largest page that the server gives. */
const LARGE_PAGE = 1_000;
const SETTLE_MS = 250;
/** However much others write, no more than one list in this time, and of a long one four of its pages a second. */
const PAUSE_MS = 1_000;
const PAUSE_OF_PAGE_MS = 250;

export function createListing(
  prefix: string,
  read: ReadPage,
  onState: (state: ListingState) => void,
): Listing {
  let [entries, next, isAtEnd]: [Entry[], string | undefined, boolean] = [[], undefined, false];
  let reading: AbortController | undefined;
  let isRenewing = false;
  let isStale = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let renewedAt = -PAUSE_MS;
  let hasEnded = false;

  function show(isLoading: boolean, error?: unknown): void {
    onState({ prefix, entries, hasMore: !isAtEnd, isLoading, error });
  }

  /** Only the latest reading counts. */
  async function run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    reading?.abort();
    const own = new AbortController();
    reading = own;
    try {
      await work(own.signal);
      if (reading === own) show(false);
    } catch (error) {
      if (reading === own && !isAbort(error)) show(false, error);
    } finally {
      if (reading === own) reading = undefined;
    }
  }

  function more(): void {
    if (hasEnded || reading || isAtEnd) return;
    if (entries.length === 0) onState({ ...NOTHING_YET, prefix });
    else show(true);
    void run(async (signal) => {
      const page = await read({ after: next, limit: PAGE, signal });
      if (signal.aborted) return;
      entries = [...entries, ...entriesOf(page)];
      next = page.next;
      isAtEnd = next === undefined;
    });
  }

  async function readAgain(signal: AbortSignal): Promise<void> {
    const wanted = Math.max(entries.length, PAGE);
    const found: Entry[] = [];
    let after: string | undefined;
    do {
      const limit = Math.min(LARGE_PAGE, Math.max(PAGE, wanted - found.length));
      const page = await read({ after, limit, signal });
      if (signal.aborted) return;
      found.push(...entriesOf(page));
      after = page.next;
    } while (after !== undefined && found.length < wanted);
    entries = found;
    next = after;
    isAtEnd = after === undefined;
  }

  async function renewNow(): Promise<void> {
    isStale = false;
    isRenewing = true;
    await run(readAgain);
    isRenewing = false;
    renewedAt = performance.now();
    if (isStale) renew();
  }

  function renew(): void {
    isStale = true;
    if (hasEnded || isRenewing || timer !== undefined) return;
    const pause = Math.max(PAUSE_MS, (entries.length / LARGE_PAGE) * PAUSE_OF_PAGE_MS);
    const wait = Math.max(SETTLE_MS, renewedAt + pause - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      void renewNow();
    }, wait);
  }

  /** What lies behind the pages that were read, or in a folder that is there already, changes nothing here. */
  function isSeen(key: string, type: 'put' | 'delete'): boolean {
    // The page that is being read may be older than the change.
    if (reading) return true;
    const slash = key.indexOf('/', prefix.length);
    const name = slash < 0 ? key : key.slice(0, slash + 1);
    const at = placeOf(name);
    if (at === entries.length) return isAtEnd;
    const found = entries[at];
    return type === 'delete' || found?.kind !== 'folder' || found.prefix !== name;
  }

  /** Where it is among the entries, or would be. */
  function placeOf(name: string): number {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = entries[middle];
      if (entry && compareBytes(keyOf(entry), name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    more,
    renew,
    hear(key, type) {
      if (isSeen(key, type)) renew();
    },
    end() {
      hasEnded = true;
      clearTimeout(timer);
      reading?.abort();
      reading = undefined;
    },
  };
}
