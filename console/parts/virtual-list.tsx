import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { rowsInSight } from './rows-in-sight.ts';
import { useScrollBox } from './use-scroll-box.ts';

/**
 * A list of any length of which only what can be seen is in the page. Arrow keys, Page Up and Down, Home and End move, Enter
 * chooses. Rows have one height, so no browser has to measure a million of them.
 */
export interface VirtualListProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  /** Whether more would come: then its length is not known. */
  readonly hasMore: boolean;
  readonly selected: number | undefined;
  readonly row: (item: Item) => ComponentChildren;
  readonly onSelect: (item: Item, index: number) => void;
  /** The last rows are near: called again after each change of `items`. */
  readonly onEnd: () => void;
}

const ROW_PX = 32;
const MARGIN_ROWS = 12;
/** How many rows may go above the active one at once, and it is still found. */
const FOLLOWED_ROWS = 1_000;

export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const { label, items, hasMore, selected, row, onSelect, onEnd } = props;
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const { onScroll, ...seen } = useScrollBox(list);
  const [active, setActive] = useState(0);
  const activeItem = useRef<Item>(undefined);
  const isShown = useRef(false);
  const { first, last } = rowsInSight(seen, items.length, { rowPx: ROW_PX, margin: MARGIN_ROWS });

  // What others insert or remove above moves the row that the keyboard is at, and not the keyboard.
  useLayoutEffect(() => {
    const followed = activeItem.current;
    if (followed === undefined || items[active] === followed) return;
    const at = items.indexOf(followed, Math.max(0, active - FOLLOWED_ROWS));
    if (at >= 0) setActive(at);
    else activeItem.current = items[active];
  }, [items, active]);

  // Of a link: what is chosen is seen, and the keyboard goes on from there.
  useLayoutEffect(() => {
    if (selected === undefined || seen.height === 0 || isShown.current) return;
    isShown.current = true;
    move(selected);
  }, [selected, seen.height]);

  useEffect(() => {
    if (hasMore && last >= items.length - MARGIN_ROWS) onEnd();
  }, [hasMore, last, items.length, onEnd]);

  function move(to: number): void {
    const index = Math.max(0, Math.min(items.length - 1, to));
    setActive(index);
    activeItem.current = items[index];
    const element = list.current;
    if (!element) return;
    if (index * ROW_PX < element.scrollTop) element.scrollTop = index * ROW_PX;
    const bottom = (index + 1) * ROW_PX - element.clientHeight;
    if (bottom > element.scrollTop) element.scrollTop = bottom;
  }

  function onKeyDown(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(seen.height / ROW_PX) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: items.length - 1,
    };
    const to = steps[event.key];
    const item = items[active];
    if (to !== undefined) move(to);
    else if ((event.key === 'Enter' || event.key === ' ') && item !== undefined) {
      isShown.current = true;
      onSelect(item, active);
    } else return;
    event.preventDefault();
  }

  const rows = items.slice(first, last).map((item, at) => {
    const index = first + at;
    return (
      // The list has the keyboard, as the pattern of a listbox wants it: https://www.w3.org/WAI/ARIA/apg/patterns/listbox/
      // biome-ignore lint/a11y/useKeyWithClickEvents: see above
      // biome-ignore lint/a11y/useFocusableInteractive: see above
      <div
        key={index}
        id={`${id}-${index}`}
        class={index === active ? 'row active' : 'row'}
        role="option"
        aria-selected={index === selected}
        aria-posinset={index + 1}
        aria-setsize={hasMore ? -1 : items.length}
        style={{ top: `${index * ROW_PX}px` }}
        onClick={() => {
          isShown.current = true;
          setActive(index);
          activeItem.current = item;
          onSelect(item, index);
        }}
      >
        {row(item)}
      </div>
    );
  });

  return (
    <div
      ref={list}
      class="framed virtual-list"
      role="listbox"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={active >= first && active < last ? `${id}-${active}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="rows" role="presentation" style={{ height: `${items.length * ROW_PX}px` }}>
        {rows}
      </div>
    </div>
  );
}
