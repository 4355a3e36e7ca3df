import { expect, it } from 'vitest';
import { formatDuration } from '../../console/parts/durations.ts';
import { saveChange } from '../../console/views/saves/save-change.ts';
import {
  describeMissing,
  gapPx,
  type MissingEntry,
  newestOf,
  placeOf,
  timeLine,
} from '../../console/views/saves/time-line-entries.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

function save(version: number, size: number, ms: number) {
  const time = new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
  return { version, size, time, key: `p/ds/1/data/00000000001-0000${version}`, etag: '"e"' };
}

it('is the newest first, each against the one before', () => {
  const saves = [save(1, 100, 0), save(2, 90, MINUTE), save(3, 90, DAY)];
  const line = timeLine(saves, 3);
  expect(line.map((entry) => entry.kind === 'kept' && entry.save.version)).toEqual([3, 2, 1]);
  expect(line.map((entry) => (entry.kind === 'kept' ? entry.since : 0))).toEqual([
    { version: 2, sizeChange: 0, ms: DAY - MINUTE },
    { version: 1, sizeChange: -10, ms: MINUTE },
    undefined,
  ]);
});

it('tells of the versions that are missing, wherever they were', () => {
  const line = timeLine([save(3, 1, 0), save(6, 1, 1), save(8, 1, 2)], 9);
  const told = line.map((entry) =>
    entry.kind === 'kept' ? entry.save.version : [entry.first, entry.last, entry.where],
  );
  expect(told).toEqual([
    [9, 9, 'above'],
    8,
    [7, 7, 'between'],
    6,
    [4, 5, 'between'],
    3,
    [1, 2, 'below'],
  ]);
  expect(timeLine([], 4)).toEqual([{ kind: 'missing', first: 1, last: 4, where: 'above' }]);
  expect(timeLine([save(0, 1, 0), save(1, 1, 1)], 1)).toHaveLength(2);
});

it('says why, as far as it is known', () => {
  const entry = (first: number, last: number, where: MissingEntry['where']): MissingEntry => ({
    kind: 'missing',
    first,
    last,
    where,
  });
  expect(describeMissing(entry(4, 5, 'between'), 3)).toBe('Versions 4 to 5 are missing: deleted.');
  expect(describeMissing(entry(9, 9, 'above'), 3)).toMatch(/^Version 9 is missing: saved once/);
  expect(describeMissing(entry(1, 2, 'below'), 3)).toMatch(/keeps the newest 3\.$/);
  expect(describeMissing(entry(1, 2, 'below'), 1)).toMatch(/keeps the newest alone\.$/);
  expect(describeMissing(entry(1, 2, 'below'), undefined)).toMatch(/began with version 3\.$/);
});

it('shows longer pauses as longer, and none out of all bounds', () => {
  const pauses = [0, 11_000, MINUTE, 60 * MINUTE, DAY, 30 * DAY];
  const gaps = pauses.map(gapPx);
  expect(gaps).toEqual([...new Set(gaps)].sort((a, b) => a - b));
  expect(gapPx(-DAY)).toBe(gapPx(0));
  expect(gapPx(9_999 * DAY)).toBe(gapPx(90 * DAY));
  expect(gapPx(9_999 * DAY)).toBeLessThan(100);
});

it.each([
  [0, 'less than a second'],
  [-400, 'less than a second'],
  [1_000, '1 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [2 * DAY + 3_600_000, '2 days 1 h'],
  [DAY + 59_000, '1 day'],
  [366 * DAY, '1 year 1 day'],
])('of %i ms it says %s', (ms, words) => {
  expect(formatDuration(ms)).toBe(words);
});

it.each([
  ['/b/p/ds/1/data/00000000042-00007', { slot: '00000000042', version: 7 }],
  ['/b/p%2Fds%2F1%2Fdata%2F00000000042-00007', { slot: '00000000042', version: 7 }],
  ['/b/p/ds/11/data/00000000042-00007', undefined],
  ['/b/p/ds/1/data/x/ds/1/data/00000000042-00007', undefined],
  ['/other/p/ds/1/data/00000000042-00007', undefined],
  ['/b/p/ds/1/data/42-7', undefined],
  ['/b/%', undefined],
  ['/data/test', undefined],
])('the change %s is of %j', (url, expected) => {
  expect(saveChange(url, { bucket: 'b', prefix: 'p', n: 1 })).toEqual(expected);
});

it('a change is of the prefix that was asked for, whatever is in it', () => {
  const prefix = 'a/../ü <b>';
  const url = `/b/${encodeURIComponent(prefix)}%2Fds%2F2%2Fdata%2F00000000001-00001`;
  expect(saveChange(url, { bucket: 'b', prefix, n: 2 })).toEqual({
    slot: '00000000001',
    version: 1,
  });
});

it('finds where a version is on it, or would be', () => {
  const line = timeLine([save(3, 1, 0), save(6, 1, 1), save(8, 1, 2)], 9);
  expect(line.map(newestOf)).toEqual([9, 8, 7, 6, 5, 3, 2]);
  expect([10, 8, 4, 3].map((version) => placeOf(version, line))).toEqual([0, 1, 5, 5]);
  expect(placeOf(0, line)).toBe(line.length);
});
