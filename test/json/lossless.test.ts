import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonDepth, parseLossless, stringifyLossless } from '../../server/json/lossless.ts';
import { canonical, jsonTexts } from './json-texts.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

function roundTrip(text: string): string {
  return stringifyLossless(parseLossless(text), NO_LIMIT);
}

function reads(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return false;
  }
}

describe('parseLossless and stringifyLossless', () => {
  test.each([
    ['number text', '[1.0,-0,1e5,1E+05,0.10,9007199254740993,1e400]'],
    ['string escapes', '["\\u0041","\\/","\\ud800","é","\\"\\\\"]'],
    ['the order of integer-like names', '{"b":1,"1":2,"0":3}'],
    ['names that objects inherit', '{"__proto__":{"x":1},"constructor":2,"toString":3}'],
    ['empty containers and names', '{"":[{},[]]}'],
    ['scalars', 'null'],
  ])('keep %s', (_, text) => {
    expect(roundTrip(text)).toBe(text);
  });

  test('decode names and write them as JSON.stringify does', () => {
    const node = parseLossless('{"\\u0061\\/":1,"\\ud800":2}');
    expect(node).toEqual(
      new Map([
        ['a/', '1'],
        ['\ud800', '2'],
      ]),
    );
    expect(stringifyLossless(node, NO_LIMIT)).toBe('{"a/":1,"\\ud800":2}');
  });

  test('let the last of duplicate members win in the place of the first', () => {
    expect(roundTrip('{"a":1,"b":2,"\\u0061":3}')).toBe('{"a":3,"b":2}');
  });

  test.each([
    ['', 'Unexpected end in JSON at position 0.'],
    ['[1,', 'Unexpected end in JSON at position 3.'],
    ['[1,]', 'Unexpected "]" in JSON at position 3.'],
    ['{"a" 1}', 'Unexpected "1" in JSON at position 5.'],
    ['{"a":1 😀}', 'Unexpected "😀" in JSON at position 7.'],
    ['"a\nb"', 'Unexpected "\\n" in JSON at position 2.'],
    ['"\\x"', 'Unexpected "x" in JSON at position 2.'],
    ['01', 'Unexpected "1" in JSON at position 1.'],
  ])('refuse %j and name the position', (text, message) => {
    expect(() => parseLossless(text)).toThrow(new SyntaxError(message));
  });

  test('keep every text as it is but for white space, and its value', () => {
    fc.assert(
      fc.property(jsonTexts, ({ spaced, compact }) => {
        expect(roundTrip(spaced)).toBe(compact);
        expect(canonical(JSON.parse(roundTrip(spaced)))).toBe(canonical(JSON.parse(spaced)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('accept exactly what JSON.parse accepts', () => {
    const pieces = [
      ...'{}[]",:.+-eE019\\/u \t\n\r\v\u0000\ufeff\u00a0\u2028\'n',
      'true',
      '\\u00',
      'NaN',
    ];
    const texts = [
      ...['.5', '5.', '1.e1', '+1', '-', '--1', '1e', '1e+', '00', '-01', '0x1', 'Infinity', 'nul'],
      ...['"', '"\\', '"\\u12', '"\\u123g"', '"\u007f\u2028"', '"\t"', "'a'", 'truefalse', '1 2'],
      ...[
        '[',
        ']',
        '[,]',
        '[1 2]',
        '{',
        '{,}',
        '{"a"}',
        '{"a":}',
        '{a:1}',
        '{"a":1,}',
        '[]]',
        '\ufeff1',
      ],
      ...['\u00a01', '1\v', ' 1 ', '[ ]', '{ }', '//1', '1/**/'],
    ];
    for (const text of texts)
      expect([text, reads(parseLossless, text)]).toEqual([text, reads(JSON.parse, text)]);

    let accepted = 0;
    const mutations = fc.array(
      fc.tuple(fc.nat(), fc.nat(2), fc.oneof(fc.constantFrom(...pieces), fc.constant(''))),
      { minLength: 1, maxLength: 2 },
    );
    fc.assert(
      fc.property(jsonTexts, mutations, ({ spaced }, edits) => {
        let text = spaced;
        for (const [seed, removed, piece] of edits) {
          const at = seed % (text.length + 1);
          text = text.slice(0, at) + piece + text.slice(at + removed);
        }
        const expected = reads(JSON.parse, text);
        expect(reads(parseLossless, text)).toBe(expected);
        if (!expected) return;
        accepted += 1;
        expect(canonical(JSON.parse(roundTrip(text)))).toBe(canonical(JSON.parse(text)));
      }),
      { numRuns: 3_000 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(accepted).toBeLessThan(2_900);
  });
});

describe('the limit of stringifyLossless', () => {
  test.each([
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\u{10000}',
    '\ud800',
    '\udc00',
  ])('counts %j as UTF-8 does', (character) => {
    const text = `"${character}a${character}"`;
    const bytes = Buffer.byteLength(text);
    expect(stringifyLossless(text, bytes)).toBe(text);
    expect(() => stringifyLossless(text, bytes - 1)).toThrow();
  });

  test('is in bytes of UTF-8', () => {
    fc.assert(
      fc.property(jsonTexts, ({ compact }) => {
        const node = parseLossless(compact);
        const bytes = Buffer.byteLength(compact);
        expect(stringifyLossless(node, bytes)).toBe(compact);
        expect(() => stringifyLossless(node, bytes - 1)).toThrow(
          expect.objectContaining({
            code: 'too-large',
            message: `The document would be larger than ${bytes - 1} bytes; make it smaller.`,
          }),
        );
      }),
    );
  });
});

describe('jsonDepth', () => {
  test.each([
    ['1', 0],
    ['"[[["', 0],
    ['{}', 1],
    [' [1, 2]', 1],
    ['[[],[[]]]', 3],
    ['{"[":{"]":"\\"[["}}', 2],
    ['["\\\\",["\\\\\\"]"]]', 2],
    ['["","\\\\\\\\",{"a":[]}]', 3],
  ])('of %s is %i', (text, depth) => {
    expect(jsonDepth(text)).toBe(depth);
  });

  test('agrees with the parsed value', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
        : 0;
    fc.assert(
      fc.property(jsonTexts, ({ spaced }) => {
        expect(jsonDepth(spaced)).toBe(depthOf(JSON.parse(spaced)));
      }),
    );
  });

  test('ends on a text that is not JSON', () => {
    expect(jsonDepth('["')).toBe(1);
    expect(jsonDepth('"\\"')).toBe(0);
  });
});
