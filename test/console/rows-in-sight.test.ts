import { describe, expect, it } from 'vitest';
import { rowsInSight } from '../../console/parts/rows-in-sight.ts';

const ROWS = { rowPx: 20, margin: 5 };

describe('the rows in sight', () => {
  it('are those of the box, with some above and below', () => {
    expect(rowsInSight({ top: 1_000, height: 100 }, 1_000, ROWS)).toEqual({ first: 45, last: 60 });
    expect(rowsInSight({ top: 1_010, height: 100 }, 1_000, ROWS)).toEqual({ first: 45, last: 61 });
  });

  it('end with the list, and begin with it', () => {
    expect(rowsInSight({ top: 0, height: 100 }, 7, ROWS)).toEqual({ first: 0, last: 7 });
    expect(rowsInSight({ top: 0, height: 0 }, 0, ROWS)).toEqual({ first: 0, last: 0 });
  });

  it('are the last ones where the list has become shorter than it is scrolled', () => {
    expect(rowsInSight({ top: 9_000, height: 100 }, 30, ROWS)).toEqual({ first: 25, last: 30 });
  });
});
