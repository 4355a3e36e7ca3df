import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLossless, stringifyLossless } from '../../server/json/lossless.ts';
import { rawElements, rawMembers } from '../../server/json/raw-parts.ts';
import { runs } from '../support/long-runs.ts';
import { jsonTexts } from './json-texts.ts';

describe('the parts of a JSON text', () => {
  it('keep their own white space, escapes and numbers', () => {
    expect(rawElements(' [ 1.0 ,"a,]\\"" , { "b" : [ 2e1 , 3 ] }\n]\r\n')).toEqual([
      '1.0',
      '"a,]\\""',
      '{ "b" : [ 2e1 , 3 ] }',
    ]);
    expect([...(rawMembers('{ "a" : 1.0 , "\\u0062:" :{ "x" : 2 } }') ?? [])]).toEqual([
      ['a', '1.0'],
      ['b:', '{ "x" : 2 }'],
    ]);
  });

  it('are none of what is empty, and undefined of what is something else', () => {
    expect(rawElements(' [ ] ')).toEqual([]);
    expect(rawMembers('{\n}')).toEqual(new Map());
    for (const text of ['{}', '"[]"', '1', 'null']) expect(rawElements(text)).toBeUndefined();
    for (const text of ['[]', '"{}"', '1', 'null']) expect(rawMembers(text)).toBeUndefined();
  });

  it('are those with the last value where a name stands twice, escaped or not', () => {
    expect([...(rawMembers('{"a":1,"b":2,"\\u0061":3,"__proto__":4}') ?? [])]).toEqual([
      ['a', '3'],
      ['b', '2'],
      ['__proto__', '4'],
    ]);
  });

  it('are what the whole text is made of, for any JSON', () => {
    fc.assert(
      fc.property(jsonTexts, ({ spaced }) => {
        const whole = parseLossless(spaced);
        if (Array.isArray(whole)) {
          const parts = rawElements(spaced) ?? [];
          expect(parts.map((part) => parseLossless(part))).toEqual(whole);
          for (const part of parts) expect(spaced).toContain(part);
        } else if (whole instanceof Map) {
          const parts = [...(rawMembers(spaced) ?? [])];
          const read = new Map(parts.map(([name, part]) => [name, parseLossless(part)]));
          const text = stringifyLossless(whole, Number.POSITIVE_INFINITY);
          expect(stringifyLossless(read, Number.POSITIVE_INFINITY)).toBe(text);
        }
      }),
      { numRuns: runs(300, 5_000) },
    );
  });
});
