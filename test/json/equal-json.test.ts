import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalJson } from '../../server/json/equal-json.ts';
import { parseLossless } from '../../server/json/lossless.ts';
import { jsonTexts, numberTexts } from './json-texts.ts';

function equal(a: string, b: string): boolean {
  const forth = equalJson(parseLossless(a), parseLossless(b));
  expect(equalJson(parseLossless(b), parseLossless(a))).toBe(forth);
  return forth;
}

describe('equalJson', () => {
  test.each([
    ['1', '1.0'],
    ['1', '10e-1'],
    ['100', '1E2'],
    ['100', '1e+0002'],
    ['0', '-0'],
    ['0.00', '0e999999999'],
    ['-1.50', '-15e-1'],
    ['0.001', '1e-3'],
    ['1e999999999', '10e999999998'],
    ['123456789012345678901234567890', '1.2345678901234567890123456789e29'],
    ['"A"', '"\\u0041"'],
    ['"/"', '"\\/"'],
    ['"\\ud83d\\ude00"', '"😀"'],
    ['{"a":1,"b":[2,{"c":3}]}', '{"b":[2.0,{"c":3}],"a":1}'],
    ['{"a":1,"a":2}', '{"\\u0061":2}'],
    ['{"__proto__":1}', '{"__proto__":1.0}'],
    ['[]', '[]'],
    ['null', 'null'],
  ])('%s equals %s', (a, b) => {
    expect(equal(a, b)).toBe(true);
  });

  test.each([
    ['9007199254740993', '9007199254740992'],
    ['0.1', '0.1000000000000000055511151231257827'],
    ['1e400', '1e500'],
    ['1e-400', '0'],
    ['1', '-1'],
    ['1', '10'],
    ['1e999999999', '1e-999999999'],
    ['1', '"1"'],
    ['"a"', '"\\u0041"'],
    ['"1"', '"1.0"'],
    ['true', 'false'],
    ['true', '1'],
    ['null', '0'],
    ['null', '"null"'],
    ['null', '{}'],
    ['[]', '{}'],
    ['[1,2]', '[2,1]'],
    ['[1]', '[1,1]'],
    ['{"a":1}', '{"a":1,"b":2}'],
    ['{"a":1}', '{"b":1}'],
    ['{"toString":1}', '{}'],
    ['{"__proto__":{}}', '{"constructor":{}}'],
    ['{"a":[{"b":1}]}', '{"a":[{"b":2}]}'],
  ])('%s differs from %s', (a, b) => {
    expect(equal(a, b)).toBe(false);
  });

  test('a value equals itself and its reversed order of members', () => {
    fc.assert(
      fc.property(jsonTexts, ({ compact }) => {
        const node = parseLossless(compact);
        expect(equalJson(node, parseLossless(compact))).toBe(true);
        if (!(node instanceof Map)) return;
        expect(equalJson(node, new Map([...node].reverse()))).toBe(true);
      }),
    );
  });

  test('numbers are compared by their exact value', () => {
    // Both scaled by one power of ten, so that BigInt holds them exactly.
    const exact = (text: string) => {
      const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
      const [whole = '', fraction = ''] = mantissa.split('.');
      return (
        BigInt(whole.replace('-', '') + fraction) *
        10n ** BigInt(500 + Number(power) - fraction.length) *
        (whole.startsWith('-') ? -1n : 1n)
      );
    };
    const moderate = numberTexts.filter(
      (text) => Math.abs(Number(text.toLowerCase().split('e')[1] ?? 0)) < 450,
    );
    fc.assert(
      fc.property(moderate, moderate, fc.integer({ min: -30, max: 30 }), (a, b, shift) => {
        expect(equal(a, b)).toBe(exact(a) === exact(b));
        const [mantissa = '', power = '0'] = a.toLowerCase().split('e');
        const [whole = '', fraction = ''] = mantissa.split('.');
        expect(equal(a, `${whole}.${fraction}00e${power}`)).toBe(true);
        expect(equal(a, `${mantissa}e${Number(power) + shift}`)).toBe(
          shift === 0 || exact(a) === 0n,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('an exponent of over 1,000 digits equals only the same text', () => {
    const long = `1e1${'0'.repeat(1_000)}`;
    expect(equal(long, long)).toBe(true);
    expect(equal(long, `1.0e1${'0'.repeat(1_000)}`)).toBe(false);
  });
});
