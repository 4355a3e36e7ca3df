import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { isAbort } from './explain.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** `after` of the next page; undefined with the last one. */
  readonly next: string | undefined;
}

export interface PageQuery {
  readonly query: string;
  /** Undefined: the first page. */
  readonly after: string | undefined;
  readonly signal: AbortSignal;
}

export interface Paged<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
  /** Reads the next page, unless one is being read; after an error the same one again. */
  readonly more: () => void;
  /** Begins anew. */
  readonly reload: () => void;
  /** Changes what has been read so far: for what is heard of in between. */
  readonly update: (change: (items: readonly Item[]) => readonly Item[]) => void;
}

/**
 * Pages of a list, read as they are needed. With another `query` it begins anew; what the last one still brings is
 * dropped.
 */
export function usePaged<Item>(
  query: string,
  read: (page: PageQuery) => Promise<Page<Item>>,
): Paged<Item> {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [hasMore, setHasMore] = useState(true);
  const [isLoading, setLoading] = useState(false);
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  const reading = useRef<{ next: () => void }>({ next: () => {} });

  // `read` is a new function at each rendering: the query and the round tell.
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    let isBusy = false;
    let last: Page<Item> | undefined;
    const next = async (): Promise<void> => {
      if (isBusy) return;
      isBusy = true;
      setLoading(true);
      setError(undefined);
      try {
        const page = await read({ query, after: last?.next, signal });
        if (signal.aborted) return;
        // What the last query found stays until there is something in its place.
        setItems(last ? (before) => [...before, ...page.items] : page.items);
        last = page;
        setHasMore(page.next !== undefined);
      } catch (reason) {
        if (signal.aborted || isAbort(reason)) return;
        setError(reason);
        setHasMore(false);
      }
      isBusy = false;
      setLoading(false);
    };
    reading.current = { next };
    void next();
    return () => ended.abort();
  }, [query, round]);

  return {
    items,
    hasMore,
    isLoading,
    error,
    more: useCallback(() => reading.current.next(), []),
    reload: useCallback(() => setRound((before) => before + 1), []),
    update: setItems,
  };
}
