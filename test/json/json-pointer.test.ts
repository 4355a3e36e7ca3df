import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyJsonPatch } from '../../server/json/json-patch.ts';
import { parsePointer } from '../../server/json/json-pointer.ts';
import { parseLossless } from '../../server/json/lossless.ts';
import { awkwardNames } from './json-texts.ts';

// The document and the pointers of RFC 6901 section 5.
const example =
  '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}';

describe('parsePointer', () => {
  test.each([
    ['', [], example],
    ['/foo', ['foo'], '["bar","baz"]'],
    ['/foo/0', ['foo', '0'], '"bar"'],
    ['/', [''], '0'],
    ['/a~1b', ['a/b'], '1'],
    ['/c%d', ['c%d'], '2'],
    ['/e^f', ['e^f'], '3'],
    ['/g|h', ['g|h'], '4'],
    ['/i\\j', ['i\\j'], '5'],
    ['/k"l', ['k"l'], '6'],
    ['/ ', [' '], '7'],
    ['/m~0n', ['m~n'], '8'],
  ])('reads %j of RFC 6901 section 5', (pointer, tokens, value) => {
    expect(parsePointer(pointer)).toEqual(tokens);
    const patch = [{ op: 'test', path: pointer, value: JSON.parse(value) }];
    applyJsonPatch(parseLossless(example), parseLossless(JSON.stringify(patch)), 1_000);
  });

  test.each([
    ['/~01', ['~1']],
    ['/~10', ['/0']],
    ['//', ['', '']],
    ['/a/', ['a', '']],
    ['/~0~1~0', ['~/~']],
  ])('unescapes %j', (pointer, tokens) => {
    expect(parsePointer(pointer)).toEqual(tokens);
  });

  test.each(['a', 'a/b', '#/a', ' /a', '/~', '/~2', '/a~', '/~a/b', '/~~0'])(
    'refuses %j',
    (pointer) => {
      expect(() => parsePointer(pointer)).toThrow(
        expect.objectContaining({ code: 'bad-request', message: expect.stringContaining(pointer) }),
      );
    },
  );

  test('reads back any escaped tokens', () => {
    const tokens = fc.array(
      fc.oneof(fc.constantFrom(...awkwardNames), fc.string({ unit: 'binary' })),
    );
    fc.assert(
      fc.property(tokens, (names) => {
        const pointer = names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
        expect(parsePointer(pointer.join(''))).toEqual(names);
      }),
    );
  });
});
