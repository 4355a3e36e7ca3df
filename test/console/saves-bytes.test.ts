import { expect, it } from 'vitest';
import { readBeginning } from '../../console/api/read-beginning.ts';
import { differenceOf, differentRows } from '../../console/views/saves/byte-difference.ts';
import { findBytes, parsePattern } from '../../console/views/saves/byte-search.ts';
import { hexOffset, hexRuns, parseOffset } from '../../console/views/saves/hex-rows.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

it('shows bytes as digits and as what of ASCII is printable', () => {
  const bytes = Uint8Array.of(0x00, 0x1f, 0x20, 0x41, 0x7e, 0x7f, 0x80, 0xff);
  expect(hexRuns(bytes, 0, 16, () => undefined)).toEqual([
    { hex: '00 1f 20 41 7e 7f 80 ff', ascii: '.. A~...', mark: undefined },
  ]);
  expect(hexRuns(bytes, 3, 5, () => undefined)[0]?.hex).toBe('41 7e');
  expect(hexRuns(bytes, 8, 16, () => undefined)).toEqual([]);
  expect(hexOffset(0x1234)).toBe('00001234');
});

it('puts bytes together that are marked in the same way', () => {
  const runs = hexRuns(bytesOf('abcdef'), 0, 6, (at) =>
    at < 2 ? undefined : at < 5 ? 'different' : 'found',
  );
  expect(runs.map(({ ascii, mark }) => [ascii, mark])).toEqual([
    ['ab', undefined],
    ['cde', 'different'],
    ['f', 'found'],
  ]);
});

it.each([
  ['16', 16],
  ['0x10', 16],
  ['0X1F', 31],
  ['1f', 31],
  [' 0 ', 0],
  ['-1', undefined],
  ['', undefined],
  ['g', undefined],
])('the offset %j is %s', (typed, offset) => {
  expect(parseOffset(typed)).toBe(offset);
});

it('counts the bytes that differ, what only one has among them', () => {
  const difference = differenceOf(bytesOf('abcdefgh'), bytesOf('abXdefgZ!!'));
  expect(difference).toMatchObject({ count: 4, first: 2 });
  expect([...'0123456789a'].map((_, at) => difference.isDifferent(at))).toEqual(
    [2, 7, 8, 9].reduce((all, at) => all.with(at, true), new Array<boolean>(11).fill(false)),
  );
  expect(difference.nextFrom(0)).toBe(2);
  expect(difference.nextFrom(3)).toBe(7);
  expect(difference.nextFrom(8)).toBeUndefined();
  expect([...differentRows(difference, 10, 2)]).toEqual([1, 3, 4]);
});

it('knows the same bytes, and bytes that follow', () => {
  const same = differenceOf(bytesOf('ab'), bytesOf('ab'));
  expect(same).toMatchObject({ count: 0, first: undefined });
  expect(same.nextFrom(0)).toBeUndefined();
  expect(differentRows(same, 2, 16)).toHaveLength(0);
  expect(differenceOf(bytesOf('ab'), bytesOf(''))).toMatchObject({ count: 2, first: 0 });
  expect(differenceOf(bytesOf('ab'), bytesOf('abc'))).toMatchObject({ count: 1, first: 2 });
});

it('finds text and bytes', () => {
  const bytes = bytesOf('aabaabaaü');
  const find = (typed: string, kind: 'text' | 'hex', from = 0) => {
    const pattern = parsePattern(typed, kind);
    return pattern && findBytes(bytes, pattern, from);
  };
  expect(find('ba', 'text')).toBe(2);
  expect(find('ba', 'text', 3)).toBe(5);
  expect(find('aaba', 'text', 1)).toBe(3);
  expect(find('ü', 'text')).toBe(8);
  expect(find('C3 bc', 'hex')).toBe(8);
  expect(find('0x62, 0x61', 'hex')).toBe(2);
  expect(find('aaü!', 'text')).toBeUndefined();
  expect(parsePattern('6', 'hex')).toBeUndefined();
  expect(parsePattern('', 'hex')).toBeUndefined();
  expect(parsePattern('', 'text')).toBeUndefined();
});

it('reads so much of a stream and no more', async () => {
  let pulled = 0;
  let isCancelled = false;
  const endless = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull(controller) {
        controller.enqueue(Uint8Array.of(pulled, pulled, pulled));
        pulled += 1;
      },
      cancel() {
        isCancelled = true;
      },
    });
  const { bytes, isCut } = await readBeginning(endless(), 7);
  expect([...bytes]).toEqual([0, 0, 0, 1, 1, 1, 2]);
  expect([isCut, isCancelled]).toEqual([true, true]);
  const whole = await readBeginning(new Blob(['seven..']).stream(), 7);
  expect([new TextDecoder().decode(whole.bytes), whole.isCut]).toEqual(['seven..', false]);
});
