import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { isAbort } from './explain.ts';

export interface Paged<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
  /** Reads the next page, unless one is being read. */
  readonly more: () => void;
  /** Begins anew. */
  readonly reload: () => void;
  /** Changes what has been read so far: for what is heard of in between. */
  readonly update: (change: (items: readonly Item[]) => readonly Item[]) => void;
}

/**
 * Pages of a list, read as they are needed. With another `query` it begins anew; what the last one still brings is
 * dropped. `pages` is called with that query and gives arrays.
 */
export function usePaged<Item>(
  query: string,
  pages: (query: string, signal: AbortSignal) => AsyncIterator<readonly Item[], void>,
): Paged<Item> {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [hasMore, setHasMore] = useState(true);
  const [isLoading, setLoading] = useState(false);
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  const reading = useRef<{ next: () => void }>({ next: () => {} });

  // `pages` is a new function at each rendering: the query and the round tell.
  useEffect(() => {
    const ended = new AbortController();
    const iterator = pages(query, ended.signal);
    let [isBusy, isFirst] = [false, true];
    const next = async (): Promise<void> => {
      if (isBusy) return;
      isBusy = true;
      setLoading(true);
      setError(undefined);
      try {
        const { value, done } = await iterator.next();
        if (ended.signal.aborted) return;
        const page = value ?? [];
        // What the last query found stays until there is something in its place.
        setItems(isFirst ? page : (before) => [...before, ...page]);
        isFirst = false;
        setHasMore(!done);
      } catch (reason) {
        if (ended.signal.aborted || isAbort(reason)) return;
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
