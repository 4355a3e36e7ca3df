import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLossless, stringifyLossless } from '../../server/json/lossless.ts';
import { mergePatch, setMembers } from '../../server/json/merge-patch.ts';
import { canonical, jsonTexts } from './json-texts.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

function merged(target: string, patch: string): string {
  return stringifyLossless(mergePatch(parseLossless(target), parseLossless(patch)), NO_LIMIT);
}

describe('mergePatch', () => {
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('RFC 7396 appendix A: %s with %s', (target, patch, result) => {
    expect(merged(target, patch)).toBe(result);
  });

  test('RFC 7396 section 3', () => {
    const target =
      '{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}';
    const patch =
      '{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}';
    expect(merged(target, patch)).toBe(
      '{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}',
    );
  });

  test.each([
    [
      'number text',
      '{"a":1.0,"b":9007199254740993}',
      '{"b":2.50,"c":1e2}',
      '{"a":1.0,"b":2.50,"c":1e2}',
    ],
    ['nulls within arrays', '{}', '{"a":[null,{"b":null}]}', '{"a":[null,{"b":null}]}'],
    ['the string "null"', '{"a":1}', '{"a":"null"}', '{"a":"null"}'],
    [
      '__proto__',
      '{"__proto__":{"a":1}}',
      '{"__proto__":{"b":2},"constructor":{"prototype":{"c":3}}}',
      '{"__proto__":{"a":1,"b":2},"constructor":{"prototype":{"c":3}}}',
    ],
    [
      'a removed __proto__',
      '{"__proto__":1,"b":2}',
      '{"__proto__":null,"toString":null}',
      '{"b":2}',
    ],
    ['the order of names', '{"b":1,"1":2}', '{"0":3,"b":4}', '{"b":4,"1":2,"0":3}'],
  ])('keeps %s', (_, target, patch, result) => {
    expect(merged(target, patch)).toBe(result);
  });

  test('makes an object where there is no target', () => {
    const patch = parseLossless('{"a":{"b":null,"c":1}}');
    expect(stringifyLossless(mergePatch(undefined, patch), NO_LIMIT)).toBe('{"a":{"c":1}}');
    expect(stringifyLossless(patch, NO_LIMIT)).toBe('{"a":{"b":null,"c":1}}');
  });

  test('agrees with a plain model', () => {
    type Plain = { [name: string]: unknown };
    const isPlain = (value: unknown): value is Plain =>
      typeof value === 'object' && value !== null && !Array.isArray(value);
    const model = (target: unknown, patch: unknown): unknown => {
      if (!isPlain(patch)) return patch;
      const kept = Object.entries(isPlain(target) ? target : {}).filter(
        ([name]) => !Object.hasOwn(patch, name),
      );
      const changed = Object.entries(patch)
        .filter(([, change]) => change !== null)
        .map(([name, change]) => [
          name,
          model(isPlain(target) && Object.hasOwn(target, name) ? target[name] : undefined, change),
        ]);
      return Object.fromEntries([...kept, ...changed]);
    };
    fc.assert(
      fc.property(jsonTexts, jsonTexts, (target, patch) => {
        const result = merged(target.spaced, patch.spaced);
        expect(canonical(JSON.parse(result))).toBe(
          canonical(model(JSON.parse(target.spaced), JSON.parse(patch.spaced))),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('setMembers', () => {
  test('sets the named members, creates missing ones, and keeps null', () => {
    const document = parseLossless('{"b":1.0,"1":2,"a":{"x":1}}');
    const patch = parseLossless('{"1":null,"a":{"y":2.50},"__proto__":{"z":3}}');
    if (!(document instanceof Map) || !(patch instanceof Map)) throw new Error('not objects');
    setMembers(document, patch);
    expect(stringifyLossless(document, NO_LIMIT)).toBe(
      '{"b":1.0,"1":null,"a":{"y":2.50},"__proto__":{"z":3}}',
    );
  });
});
