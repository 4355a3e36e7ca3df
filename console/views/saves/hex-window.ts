/** Which lines of a long table are in sight. */

export const LINE_PX = 18;
/** Browsers end at some 17 million pixels (Firefox): above this a pixel of the scroll bar is more than one of the table. */
const MAX_PX = 8_000_000;
/** Lines above and below what is seen, so that quick scrolling shows no gap. */
const MARGIN_LINES = 10;

export interface HexWindow {
  readonly first: number;
  /** Behind the last line. */
  readonly last: number;
  /** Where the table with these lines begins. */
  readonly tablePx: number;
  /** How high what scrolls is. */
  readonly totalPx: number;
}

export function hexWindow(lines: number, scrollTop: number, height: number): HexWindow {
  const { totalPx, scale } = measures(lines, height);
  const top = scrollTop * scale;
  const first = Math.max(0, Math.min(lines, Math.floor(top / LINE_PX)) - MARGIN_LINES);
  const last = Math.min(lines, Math.ceil((top + height) / LINE_PX) + MARGIN_LINES);
  return { first, last, tablePx: scrollTop + first * LINE_PX - top, totalPx };
}

/** Where to scroll to, so that a line is in the upper third. */
export function scrollTopOf(line: number, lines: number, height: number): number {
  const { scale } = measures(lines, height);
  return Math.max(0, line * LINE_PX - height / 3) / scale;
}

/** One line more: the head of the table. */
function measures(lines: number, height: number): { totalPx: number; scale: number } {
  const fullPx = (lines + 1) * LINE_PX;
  const totalPx = Math.min(fullPx, MAX_PX);
  const scale = totalPx > height ? (fullPx - height) / (totalPx - height) : 1;
  return { totalPx, scale };
}
