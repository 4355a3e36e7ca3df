import { useEffect, useState } from 'preact/hooks';
import { formatCount } from '../../parts/amounts.ts';

const STEP = 100;

/** The first of a long list; with another `filter` the first again. */
export function useRows<Row>(
  all: readonly Row[],
  filter: string,
): { rows: readonly Row[]; more: () => void } {
  const [count, setCount] = useState(STEP);
  useEffect(() => setCount(STEP), [filter]);
  return { rows: all.slice(0, count), more: () => setCount(count + STEP) };
}

export function MoreRows({ shown, of, onMore }: { shown: number; of: number; onMore: () => void }) {
  if (shown >= of) return null;
  return (
    <div class="toolbar">
      <span class="muted">
        {formatCount(shown)} of {formatCount(of)}
      </span>
      <button type="button" onClick={onMore}>
        Show more
      </button>
    </div>
  );
}
