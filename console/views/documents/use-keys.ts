import { useCallback, useEffect, useRef } from 'preact/hooks';
import { type Paged, usePaged } from '../../parts/use-paged.ts';
import { current } from '../../session.ts';
import { onDocumentChanges } from './document-changes.ts';
import { type KeyChanges, type KeySection, withKeyChanges } from './key-changes.ts';

export interface Keys extends Paged<string> {
  /** More than a browser can scroll through: the search has to be narrowed. */
  readonly isTooLong: boolean;
  /** For what this window has done itself. */
  readonly note: (key: string, isThere: boolean) => void;
}

const PAGE_KEYS = 500;
/** Browsers end an element at 17 to 33 million pixels. */
const MOST_KEYS = 500_000;

/** The keys with this prefix, page by page, with what others create and delete in its place. */
export function useKeys(prefix: string): Keys {
  const section = useRef<KeySection>({ prefix });
  /** The next page would be empty: that is known with one that is not full. */
  const hasEnded = useRef(false);
  /** What was heard since the page that is being read was asked for: it may be missing there. */
  const heard = useRef<Map<string, boolean> | undefined>(undefined);

  async function* pages(asked: string, signal: AbortSignal): AsyncGenerator<string[], void> {
    const { documents } = current().client;
    hasEnded.current = false;
    for (let after: string | undefined; ; ) {
      const changes = new Map<string, boolean>();
      heard.current = changes;
      const options = { prefix: asked, pageSize: PAGE_KEYS, signal };
      const range = after === undefined ? options : { ...options, after };
      // One page at a time, so that the end is asked for anew: keys may have come behind it.
      const { value: page = [] } = await documents
        .keys(range)
        .next()
        .finally(() => {
          if (heard.current === changes) heard.current = undefined;
        });
      signal.throwIfAborted();
      hasEnded.current = page.length < PAGE_KEYS;
      const last = hasEnded.current ? undefined : page.at(-1);
      section.current = { prefix: asked, last };
      const present = withKeyChanges(page, changes, { prefix: asked, after, last });
      yield [...present];
      if (last === undefined) return;
      after = last;
    }
  }

  const paged = usePaged(prefix, pages);
  const { update, reload, hasMore, items } = paged;

  const apply = useCallback(
    (changes: KeyChanges) => {
      for (const [key, isThere] of changes) heard.current?.set(key, isThere);
      update((keys) => withKeyChanges(keys, changes, section.current));
    },
    [update],
  );

  useEffect(
    () =>
      onDocumentChanges({
        onChanges: (changes) =>
          apply(new Map([...changes].map(([key, { type }]) => [key, type === 'put']))),
        onMissed: reload,
      }),
    [apply, reload],
  );

  const isTooLong = items.length >= MOST_KEYS;
  const note = useCallback(
    (key: string, isThere: boolean) => apply(new Map([[key, isThere]])),
    [apply],
  );
  return { ...paged, hasMore: hasMore && !hasEnded.current && !isTooLong, isTooLong, note };
}
