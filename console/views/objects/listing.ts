import type { ObjectPage } from '../../api/object-page.ts';
import { isAbort } from '../../parts/explain.ts';
import { type Entry, entriesOf } from './folder.ts';

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
/** However much others write, no more than one list in this time. */
const PAUSE_MS = 1_000;

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
    const wait = Math.max(SETTLE_MS, renewedAt + PAUSE_MS - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      void renewNow();
    }, wait);
  }

  return {
    more,
    renew,
    end() {
      hasEnded = true;
      clearTimeout(timer);
      reading?.abort();
      reading = undefined;
    },
  };
}
