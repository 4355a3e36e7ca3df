import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, findKey } from '../../console/parts/byte-order.ts';
import { formatJson } from '../../console/views/documents/format-json.ts';
import { withKeyChanges } from '../../console/views/documents/key-changes.ts';
import { lineBreakOf } from '../../console/views/documents/line-break.ts';
import {
  checkDocument,
  type JsonProblem,
  placeIn,
  scanJson,
} from '../../console/views/documents/scan-json.ts';
import { textDifference } from '../../console/views/documents/text-difference.ts';
import { runs } from '../support/long-runs.ts';

const text = fc.string({ unit: 'binary' });
const key = fc.string({
  unit: fc.constantFrom('a', 'b', '/', 'é', '\ud83d\ude00', '\uffee', '中'),
});

/** JSON texts with what JSON.parse loses: number texts, escapes, names twice, space anywhere. */
const jsonText = fc.letrec<Record<'value' | 'space' | 'scalar', string>>((tie) => ({
  space: fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 3 }),
  scalar: fc.constantFrom(
    ...['1.0', '-0', '1e400', '12345678901234567890', 'true', 'null', '"a\\u0041"', '"{,:"'],
    ...['"\\\\"', '"\u202e é \ud83d\ude00"', '"__proto__"', '"\\""', '0.10E-2', 'false', '""'],
  ),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('scalar'),
    fc
      .tuple(fc.array(tie('value'), { maxLength: 4 }), tie('space'))
      .map(([values, space]) => `[${space}${values.join(`${space},`)}${space}]`),
    fc
      .tuple(
        fc.array(fc.tuple(fc.json({ depthSize: 0 }), tie('value')), { maxLength: 4 }),
        tie('space'),
      )
      .map(([members, space]) => {
        const named = members.map(
          ([name, value]) => `${JSON.stringify(name)}${space}:${space}${value}`,
        );
        return `{${space}${named.join(`${space},${space}`)}${space}}`;
      }),
  ),
})).value;

function tokensOf(json: string): string[] {
  const tokens: string[] = [];
  expect(scanJson(json, (from, to) => tokens.push(json.slice(from, to)))).toBeUndefined();
  return tokens;
}

function accepts(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

describe('reading a document', () => {
  it('takes what JSON.parse takes, if it is an object or array, and nothing else', () => {
    fc.assert(
      fc.property(
        jsonText,
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', '0', '\\', 'x', '\t'),
        (json, at, put) => {
          const cut = at % (json.length + 1);
          const broken = json.slice(0, cut) + put + json.slice(cut + (put === '' ? 1 : 0));
          expect(checkDocument(json) === undefined).toBe(accepts(json));
          expect(checkDocument(broken) === undefined).toBe(accepts(broken));
        },
      ),
      { numRuns: runs(200, 2_000) },
    );
    fc.assert(
      fc.property(text, (any) => {
        expect(checkDocument(any) === undefined).toBe(accepts(any));
      }),
    );
  });

  it.each([
    ['', 1, 1, 'There is nothing yet'],
    ['{"a": 1,}', 1, 9, 'a comma too many before “}”'],
    ['[1,\n 2,\n]', 3, 1, 'a comma too many before “]”'],
    ['{"a" 1}', 1, 6, 'Expected a colon, not “1”'],
    ['{\n  a: 1}', 2, 3, 'Expected a name in double quotes, or “}”, not “a”'],
    ['[1 2]', 1, 4, 'Expected a comma, or “]”, not “2”'],
    ['[01]', 1, 2, '“01” is no JSON value'],
    ['["a\nb"]', 1, 2, 'no end on its line'],
    ['["a\tb"]', 1, 4, 'write it as \\t'],
    ['["\\x"]', 1, 3, '“\\x” is no escape'],
    ['{} {}', 1, 4, 'nothing may follow'],
    ['{"a": [', 1, 8, 'ends too early: expected a value, or “]”'],
    ['17', 1, 1, 'an object { } or an array [ ]'],
    ['[\ud83d\ude00]', 1, 2, '“\ud83d\ude00”'],
  ])('says what is wrong with %j, and where', (json, line, column, sentence) => {
    const problem: JsonProblem | undefined = checkDocument(json);
    expect(problem?.message).toContain(sentence);
    expect(problem && placeIn(json, problem.at)).toEqual({ line, column });
  });

  it('refuses what is nested deeper than the server takes', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(checkDocument(nested(1_000))).toBeUndefined();
    const message = 'This is nested deeper than 1,000 levels: make it flatter.';
    expect(checkDocument(nested(1_001))).toEqual({ at: 1_000, message });
  });

  it('is not exhausted by long texts', () => {
    const long = `["${'\\"x'.repeat(500_000)}"${',1.5'.repeat(100_000)}]`;
    expect(checkDocument(long)).toBeUndefined();
    expect(checkDocument(`${long.slice(0, -1)},`)?.at).toBe(long.length);
  });
});

describe('formatting', () => {
  it('changes nothing but the space between tokens', () => {
    fc.assert(
      fc.property(jsonText, (json) => {
        const formatted = formatJson(json) ?? '';
        expect(tokensOf(formatted)).toEqual(tokensOf(json));
        expect(formatJson(formatted)).toBe(formatted);
      }),
      { numRuns: runs(200, 1_000) },
    );
  });

  it('indents as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(formatJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
      }),
    );
  });

  it('keeps numbers, escapes, names and their order', () => {
    const json = '{"b":1.0,"a":12345678901234567890,"__proto__":{},"b":"\\u0041","1":[ ]}';
    expect(formatJson(json)).toBe(
      '{\n  "b": 1.0,\n  "a": 12345678901234567890,\n  "__proto__": {},\n  "b": "\\u0041",\n  "1": []\n}',
    );
    expect(formatJson('{\r\n"a":1}')).toBe('{\r\n  "a": 1\r\n}');
  });

  it('gives up where there is no JSON, or far too much of it', () => {
    expect(formatJson('{"a":}')).toBeUndefined();
    const deep = '['.repeat(999) + '1,'.repeat(100_000) + 1 + ']'.repeat(999);
    expect(formatJson(deep)).toBeUndefined();
  });
});

describe('the order of keys', () => {
  it('is that of the bytes of UTF-8', () => {
    const bytes = (chars: string) => Buffer.from(chars);
    fc.assert(
      fc.property(key, key, (one, other) => {
        expect(Math.sign(compareBytes(one, other))).toBe(Buffer.compare(bytes(one), bytes(other)));
      }),
    );
    expect(compareBytes('\uffee', '\ud83d\ude00')).toBeLessThan(0);
  });

  it('finds a key, or where it would be', () => {
    const keys = ['a', '\uffee', '\ud83d\ude00'];
    expect(keys.map((each) => findKey(keys, each))).toEqual([0, 1, 2]);
    expect(['', 'b', '\uffef', '\ud83d\ude01'].map((each) => ~findKey(keys, each))).toEqual([
      0, 1, 2, 3,
    ]);
  });
});

describe('changes to a list of keys', () => {
  it('leave what a new list of that section would have', () => {
    const section = fc.record({
      prefix: fc.constantFrom('', 'a', 'b/'),
      after: fc.option(key, { nil: undefined }),
      last: fc.option(key, { nil: undefined }),
    });
    const property = fc.property(
      fc.uniqueArray(key),
      fc.array(fc.tuple(key, fc.boolean())),
      section,
      (stored, changes, { prefix, after, last }) => {
        const listed = (keys: Iterable<string>): string[] =>
          [...keys]
            .filter((each) => each.startsWith(prefix))
            .filter((each) => after === undefined || compareBytes(each, after) > 0)
            .filter((each) => last === undefined || compareBytes(each, last) <= 0)
            .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
        const now = new Set(stored);
        for (const [each, isThere] of changes) {
          if (isThere) now.add(each);
          else now.delete(each);
        }
        const changed = withKeyChanges(listed(stored), new Map(changes), { prefix, after, last });
        expect(changed).toEqual(listed(now));
      },
    );
    fc.assert(property, { numRuns: runs(200, 1_000) });
  });

  it('leave the very list where nothing belongs into it', () => {
    const keys = ['a', 'b'];
    const changes = new Map([
      ['a', true],
      ['c', false],
      ['d', true],
    ]);
    expect(withKeyChanges(keys, changes, { prefix: '', last: 'b' })).toBe(keys);
  });
});

describe('what differs in two texts', () => {
  it('leaves both whole, and no character in halves', () => {
    const near = fc.string({
      unit: fc.constantFrom('a', '\ud83d\ude00', '\ud83d\ude01', '\ud83c\ude00'),
    });
    fc.assert(
      fc.property(near, near, (one, other) => {
        const { head, before, after, tail } = textDifference(one, other);
        expect([head + before + tail, head + after + tail]).toEqual([one, other]);
        expect([head, before, after, tail].every((part) => part.isWellFormed())).toBe(true);
      }),
      { numRuns: runs(200, 1_000) },
    );
    expect(textDifference('abcd', 'abXd')).toEqual({
      head: 'ab',
      before: 'c',
      after: 'X',
      tail: 'd',
    });
  });
});

it('takes CR LF for ends of lines only where all of them are', () => {
  expect(['{}', '{\n}', '{\r\n}', '{\r\n\n}', '\n\r\n', '{\r\r\n}'].map(lineBreakOf)).toEqual([
    '\n',
    '\n',
    '\r\n',
    '\n',
    '\n',
    '\n',
  ]);
});
