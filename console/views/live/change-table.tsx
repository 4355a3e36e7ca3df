import { useLayoutEffect, useRef } from 'preact/hooks';
import { formatClock, formatTime } from '../../parts/amounts.ts';
import { rowsInSight } from '../../parts/rows-in-sight.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import { useScrollBox } from '../../parts/use-scroll-box.ts';
import { visible } from '../../parts/visible.ts';
import { href } from '../../router.ts';
import type { Entry } from './change-log.ts';
import { pathOf, placeOf } from './change-path.ts';

/**
 * Changes, newest on top. Only the rows that can be seen are in the page: a thousand changes a second are drawn as they
 * come. Who has scrolled, or has the focus in a row, stays where that row is.
 */
export interface ChangeTableProps {
  /** Oldest first. */
  readonly entries: readonly Entry[];
  /** How many there ever were. */
  readonly total: number;
}

const ROW_PX = 34;
/** Where the path is below the rest. */
const NARROW_ROW_PX = 60;
const NARROW_PX = 760;
const MARGIN_ROWS = 8;

export function ChangeTable({ entries, total }: ChangeTableProps) {
  const list = useRef<HTMLElement>(null);
  const { onScroll, ...seen } = useScrollBox(list, NARROW_PX);
  const rowPx = seen.width < NARROW_PX ? NARROW_ROW_PX : ROW_PX;
  const shownBefore = useRef(total);

  useLayoutEffect(() => {
    const added = total - shownBefore.current;
    shownBefore.current = total;
    const element = list.current;
    if (!element || added <= 0) return;
    const isRead = element.scrollTop > 0 || hasFocusInRow(element);
    if (!isRead) return;
    element.scrollTop += added * rowPx;
    onScroll();
  }, [total, rowPx]);

  const { first, last } = rowsInSight(seen, entries.length, { rowPx, margin: MARGIN_ROWS });
  const rows = [];
  for (let at = first; at < last; at += 1) {
    const entry = entries[entries.length - 1 - at];
    if (!entry) continue;
    rows.push(
      <tr
        key={`${entry.type === 'missed' ? 'missed' : ''}${entry.seq}`}
        class={entry.type}
        aria-rowindex={at + 2}
        style={{ top: `${at * rowPx}px`, height: `${rowPx}px` }}
      >
        <Cells entry={entry} />
      </tr>,
    );
  }

  return (
    <section
      ref={list}
      class={rowPx === ROW_PX ? 'framed change-table' : 'framed change-table narrow'}
      aria-label="List of changes"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
      tabIndex={0}
      onScroll={onScroll}
    >
      <table aria-rowcount={entries.length + 1}>
        <caption class="visually-hidden">Changes, newest first</caption>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" class="number">
              Number
            </th>
            <th scope="col">Time</th>
            <th scope="col">Change</th>
            <th scope="col">Path</th>
            <th scope="col">
              <span class="visually-hidden">History</span>
            </th>
          </tr>
        </thead>
        <tbody style={{ height: `${entries.length * rowPx}px` }}>{rows}</tbody>
      </table>
    </section>
  );
}

function Cells({ entry }: { entry: Entry }) {
  if (entry.type === 'missed') {
    return (
      <td colSpan={5} class="missed">
        Changes were missed here, up to number {entry.seq}.
      </td>
    );
  }
  const path = pathOf(entry.url);
  const place = placeOf(entry.url);
  return (
    <>
      <td class="number">{entry.seq}</td>
      <td class="time">
        <time dateTime={entry.at} title={formatTime(entry.at)}>
          {formatWhen(entry.at)}
        </time>
      </td>
      <td class="kind">
        <span aria-hidden="true">{entry.type === 'put' ? '+ ' : '− '}</span>
        {entry.type}
      </td>
      <td class="where" title={visible(path)}>
        {place ? (
          <a href={href(place.view, place.query)}>
            <StoredText text={path} />
          </a>
        ) : (
          <StoredText text={path} />
        )}
      </td>
      <td>
        <a href={href('live', { prefix: path, since: 'oldest' })}>
          History<span class="visually-hidden"> of {visible(path)}</span>
        </a>
      </td>
    </>
  );
}

const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

/** Of today the time alone; the whole is in the title. */
function formatWhen(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday ? formatClock(time) : `${day.format(time)} ${formatClock(time)}`;
}

function hasFocusInRow(list: HTMLElement): boolean {
  return document.activeElement !== list && list.contains(document.activeElement);
}
