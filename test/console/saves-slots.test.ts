import { expect, it } from 'vitest';
import { nearestSlots, SLOTS_AT_ONCE } from '../../console/views/saves/nearest-slots.ts';
import { placeQuery, readPlace } from '../../console/views/saves/save-place.ts';
import { parseSlot, slotOf } from '../../console/views/saves/slot-number.ts';
import { slotPlace, withSaved } from '../../console/views/saves/slot-order.ts';

it.each([
  ['42', '00000000042'],
  [' 00000000042 ', '00000000042'],
  ['0', '00000000000'],
  ['000', '00000000000'],
  ['000000000000000042', '00000000042'],
  ['99999999999', '99999999999'],
  ['100000000000', undefined],
  ['', undefined],
  ['4 2', undefined],
  ['-1', undefined],
  ['0x2', undefined],
  ['１', undefined],
])('what is typed as %j is the slot %s', (typed, slot) => {
  expect(parseSlot(typed)).toBe(slot);
});

it('is in the fragment, without what is the default or cannot be', () => {
  const query = { bucket: 'b', n: '2', slot: '7', version: '3', compare: 'x', after: '6' };
  const place = readPlace(new Map(Object.entries(query)));
  expect(place).toMatchObject({ n: 2, slot: slotOf(7), version: 3, after: slotOf(6) });
  expect(place.compare).toBeUndefined();
  const again = placeQuery({ ...place, n: 1 });
  expect(again).toMatchObject({ bucket: 'b', n: undefined, slot: slotOf(7), version: '3' });
  expect(readPlace(new Map([['n', '1e3']])).n).toBe(1);
  expect(readPlace(new Map([['version', '100000']])).version).toBeUndefined();
});

const entry = (number: number, latest = 1) => ({ slot: slotOf(number), latest, time: 't' });

it('takes in what is saved meanwhile, in its place', () => {
  const slots = [entry(2), entry(4, 3), entry(6)];
  const all = { after: undefined, hasMore: false };
  const numbers = (found: readonly { slot: string }[]) => found.map(({ slot }) => Number(slot));
  expect(numbers(withSaved(slots, entry(1), all))).toEqual([1, 2, 4, 6]);
  expect(numbers(withSaved(slots, entry(5), all))).toEqual([2, 4, 5, 6]);
  expect(numbers(withSaved(slots, entry(9), all))).toEqual([2, 4, 6, 9]);
  expect(withSaved(slots, entry(9), { ...all, hasMore: true })).toBe(slots);
  expect(withSaved(slots, entry(1), { ...all, after: slotOf(1) })).toBe(slots);
  expect(withSaved(slots, entry(4, 4), all)[1]).toEqual(entry(4, 4));
  // What is older than what is shown already changes nothing.
  expect(withSaved(slots, entry(4, 2), all)).toBe(slots);
  expect(slotPlace(slots, slotOf(4))).toBe(1);
  expect(slotPlace([], slotOf(4))).toBe(0);
});

it.each([
  [[], 5, undefined, undefined],
  [[0], 99_999_999_999, 0, undefined],
  [[99_999_999_999], 0, undefined, 99_999_999_999],
  [[3, 4, 6, 7], 5, 4, 6],
  [[1, 1_000, 20_000_000_000], 20_000_000_001, 20_000_000_000, undefined],
  [[1, 1_000, 20_000_000_000], 19_999_999_999, 1_000, 20_000_000_000],
  [Array.from({ length: 5_000 }, (_, at) => at * 7), 30_000, 29_995, 30_002],
  [Array.from({ length: 5_000 }, (_, at) => at), 90_000_000_000, 4_999, undefined],
  [Array.from({ length: SLOTS_AT_ONCE }, (_, at) => at), 4_000, SLOTS_AT_ONCE - 1, undefined],
])('knows the used slots beside an unused one (%#)', async (used, slot, before, after) => {
  let requests = 0;
  const found = await nearestSlots(slotOf(slot), async (behind) => {
    requests += 1;
    const next = used.filter((number) => behind === undefined || number > Number(behind));
    return next.slice(0, SLOTS_AT_ONCE).map(slotOf);
  });
  const named = (number: number | undefined) => (number === undefined ? number : slotOf(number));
  expect(found).toEqual({ before: named(before), after: named(after) });
  // A page that has them all ends the search; halves find the end of many.
  expect(requests).toBeLessThan(used.length < SLOTS_AT_ONCE ? 12 : 50);
});
