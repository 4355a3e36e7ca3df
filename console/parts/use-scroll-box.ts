import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export interface ScrollBox {
  /** How far it is scrolled down. */
  readonly top: number;
  /** Of what is seen; zero until it is measured. */
  readonly height: number;
  readonly width: number;
  /** For the element's own `onScroll`. */
  readonly onScroll: () => void;
}

/** What can be seen of a box that scrolls. */
export function useScrollBox(box: RefObject<HTMLElement | null>, widthBefore = 0): ScrollBox {
  const [top, setTop] = useState(0);
  const [size, setSize] = useState({ height: 0, width: widthBefore });

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() =>
      setSize({ height: element.clientHeight, width: element.clientWidth }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return { top, ...size, onScroll: () => setTop(box.current?.scrollTop ?? 0) };
}

/** The rows from `first` to before `last` are in sight, or near: quick scrolling shows no gap then. */
export function rowsInSight(
  { top, height }: Pick<ScrollBox, 'top' | 'height'>,
  count: number,
  { rowPx, margin }: { readonly rowPx: number; readonly margin: number },
): { first: number; last: number } {
  const first = Math.max(0, Math.min(count, Math.floor(top / rowPx)) - margin);
  const last = Math.min(count, Math.ceil((top + height) / rowPx) + margin);
  return { first, last };
}
