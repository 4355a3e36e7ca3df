import type { RefObject } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { useScrollBox } from '../../parts/use-scroll-box.ts';
import { type ByteDifference, differentRows } from './byte-difference.ts';
import { hexOffset, hexRuns, type Mark } from './hex-rows.ts';
import { hexWindow, LINE_PX, scrollTopOf } from './hex-window.ts';

/** Brings the row of an offset into sight. */
export type ScrollTo = (offset: number) => void;

interface Version {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** What 16 bytes and their ASCII need. */
const WIDE_PX = 548;

/**
 * A table of which only what can be seen is in the page, so that megabytes are quick. Its scrolling box has the
 * keyboard: arrows, Page Up and Down, Home and End.
 */
export function HexTable(props: {
  label: string;
  version: number;
  bytes: Uint8Array;
  other: Version | undefined;
  difference: ByteDifference | undefined;
  /** Only rows that differ, first of the one version, then of the other. */
  isOnlyDifferent: boolean;
  markOf: (offset: number) => Mark | undefined;
  scrollTo: RefObject<ScrollTo>;
}) {
  const { label, version, bytes, other, difference, isOnlyDifferent, markOf, scrollTo } = props;
  const box = useRef<HTMLDivElement>(null);
  const { top, height, width, onScroll } = useScrollBox(box, WIDE_PX);
  const perRow = width < WIDE_PX ? 8 : 16;
  const different = useMemo(() => {
    if (!isOnlyDifferent || !difference || !other) return undefined;
    return differentRows(difference, Math.max(bytes.length, other.bytes.length), perRow);
  }, [isOnlyDifferent, difference, perRow]);
  const lines = different ? different.length * 2 : Math.ceil(bytes.length / perRow);
  const { first, last, tablePx, totalPx } = hexWindow(lines, top, height);

  scrollTo.current = (offset) => {
    const row = Math.floor(offset / perRow);
    const line = different ? different.findIndex((found) => found >= row) * 2 : row;
    if (box.current) box.current.scrollTop = scrollTopOf(Math.max(0, line), lines, height);
  };

  const shown = Array.from({ length: Math.max(0, last - first) }, (_, at) => {
    const line = first + at;
    const row = different ? (different[line >> 1] ?? 0) : line;
    const isOther = different !== undefined && line % 2 === 1;
    return (
      <HexRow
        key={line}
        index={line + 2}
        start={row * perRow}
        end={(row + 1) * perRow}
        bytes={isOther ? (other?.bytes ?? bytes) : bytes}
        isSecond={isOther}
        of={different && (isOther ? (other?.version ?? version) : version)}
        markOf={markOf}
      />
    );
  });

  return (
    <section
      ref={box}
      class="framed hex-box"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is to be reached with the keyboard
      tabIndex={0}
      onScroll={onScroll}
    >
      <div class="hex-rows" style={{ height: `${totalPx}px` }}>
        <table
          aria-label={label}
          aria-rowcount={lines + 1}
          style={{ top: `${tablePx}px`, lineHeight: `${LINE_PX}px` }}
        >
          <thead>
            <tr aria-rowindex={1}>
              <th scope="col">Offset</th>
              <th scope="col">Bytes</th>
              <th scope="col">ASCII</th>
            </tr>
          </thead>
          <tbody>{shown}</tbody>
        </table>
      </div>
    </section>
  );
}

function HexRow(props: {
  index: number;
  start: number;
  end: number;
  bytes: Uint8Array;
  /** The version, where rows are of two. */
  of: number | undefined;
  isSecond: boolean;
  markOf: (offset: number) => Mark | undefined;
}) {
  const { index, start, end, bytes, of, isSecond, markOf } = props;
  const runs = hexRuns(bytes, start, end, markOf);
  const isDifferent = runs.some(({ mark }) => mark?.startsWith('different'));
  return (
    <tr aria-rowindex={index} class={isSecond ? 'second' : undefined}>
      <th scope="row">
        {hexOffset(start)}
        {of !== undefined && ` v${of}`}
      </th>
      <td>
        {runs.map(({ hex, mark }, at) => (
          <Run key={at} text={hex} mark={mark} space={at > 0 ? ' ' : ''} />
        ))}
        {runs.length === 0 && <span class="visually-hidden">no bytes here</span>}
      </td>
      <td>
        {runs.map(({ ascii, mark }, at) => (
          <Run key={at} text={ascii} mark={mark} space="" />
        ))}
        {isDifferent && <span class="visually-hidden"> differs</span>}
      </td>
    </tr>
  );
}

function Run({ text, mark, space }: { text: string; mark: Mark | undefined; space: string }) {
  return (
    <>
      {space}
      {mark ? <mark class={mark}>{text}</mark> : text}
    </>
  );
}
