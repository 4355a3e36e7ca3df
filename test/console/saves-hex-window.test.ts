import { expect, it } from 'vitest';
import { hexWindow, LINE_PX, scrollTopOf } from '../../console/views/saves/hex-window.ts';

const HEIGHT = 400;
/** Where a line is in the box, from its upper side. */
function pxOf(line: number, lines: number, scrollTop: number): number {
  const { first, tablePx } = hexWindow(lines, scrollTop, HEIGHT);
  return tablePx - scrollTop + (1 + line - first) * LINE_PX;
}

it('has a short table as a whole', () => {
  expect(hexWindow(3, 0, HEIGHT)).toEqual({ first: 0, last: 3, tablePx: 0, totalPx: 4 * LINE_PX });
  expect(hexWindow(0, 0, HEIGHT)).toMatchObject({ first: 0, last: 0 });
});

it.each([1_000, 1_048_576, 4_000_000])(
  'shows all of %i lines, from the first to the last',
  (lines) => {
    const { totalPx } = hexWindow(lines, 0, HEIGHT);
    expect(totalPx).toBeLessThanOrEqual(8_000_000);
    expect(pxOf(0, lines, 0)).toBe(LINE_PX);
    const bottom = totalPx - HEIGHT;
    expect(hexWindow(lines, bottom, HEIGHT).last).toBe(lines);
    expect(pxOf(lines, lines, bottom)).toBeCloseTo(HEIGHT, 3);
    for (const line of [17, lines >> 1, lines - 30]) {
      const top = Math.round(scrollTopOf(line, lines, HEIGHT));
      const { first, last } = hexWindow(lines, top, HEIGHT);
      expect(last - first).toBeLessThan(60);
      expect(pxOf(line, lines, top)).toBeGreaterThan(0);
      expect(pxOf(line, lines, top)).toBeLessThan(HEIGHT - LINE_PX);
    }
  },
);
