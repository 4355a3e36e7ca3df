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
