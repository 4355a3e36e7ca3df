import { useCallback, useEffect, useRef } from 'preact/hooks';
import { type Page, type Paged, type PageQuery, usePaged } from '../../parts/use-paged.ts';
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
  /** What was heard since the page that is being read was asked for: it may be missing there. */
  const heard = useRef<Map<string, boolean> | undefined>(undefined);

  async function read({ query: asked, after, signal }: PageQuery): Promise<Page<string>> {
    const changes = new Map<string, boolean>();
    heard.current = changes;
    const options = { prefix: asked, pageSize: PAGE_KEYS, signal };
    const { value: page = [] } = await current()
      .client.documents.keys(after === undefined ? options : { ...options, after })
      .next()
      .finally(() => {
        if (heard.current === changes) heard.current = undefined;
      });
    signal.throwIfAborted();
    const last = page.length < PAGE_KEYS ? undefined : page.at(-1);
    section.current = { prefix: asked, last };
    const items = withKeyChanges(page, changes, { prefix: asked, after, last });
    return { items, next: last };
  }

  const paged = usePaged(prefix, read);
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
  return { ...paged, hasMore: hasMore && !isTooLong, isTooLong, note };
}
