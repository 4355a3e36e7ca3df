import fc from 'fast-check';

/** A JSON text with white space between its tokens, and the same text without. */
export interface JsonText {
  spaced: string;
  compact: string;
}

/** Names that plain objects treat in a way of their own, and names that a JSON Pointer escapes. */
export const awkwardNames = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'length',
  '',
  '0',
  '1',
  '10',
  '01',
  '-',
  'a',
  'b',
  'a/b',
  'm~n',
  '~1',
  'é',
  '\ud800',
];

export const numberTexts = fc.oneof(
  fc.constantFrom('0', '-0', '-0.0', '1.0', '1.10', '1E5', '1e+05', '9007199254740993', '1e400'),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,8})?([eE][+-]?[0-9]{1,4})?$/),
);

const stringTexts = fc.oneof(
  fc.constantFrom('"\\u0041"', '"\\/"', '"\\ud800"', '"\\"\\\\"', '"{[,:"', '"é😀"'),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)),
);

export const scalarTexts = fc.oneof(
  numberTexts,
  stringTexts,
  fc.constantFrom('true', 'false', 'null'),
);

const names = fc.oneof(fc.constantFrom(...awkwardNames), fc.string({ maxLength: 4 }));
const space = fc.stringMatching(/^[ \t\n\r]{0,2}$/);

/** Any JSON text with unique member names, whose compact form JSON.stringify would spell alike. */
export const jsonTexts: fc.Arbitrary<JsonText> = fc.letrec<{ value: JsonText }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    scalarTexts.map((text) => ({ spaced: text, compact: text })),
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4, depthIdentifier: 'json' })
      .map((elements) => ({
        spaced: `[${elements.map(([before, value, after]) => before + value.spaced + after).join(',')}]`,
        compact: `[${elements.map(([, value]) => value.compact).join(',')}]`,
      })),
    fc
      .uniqueArray(fc.tuple(names, space, space, tie('value')), {
        maxLength: 4,
        selector: ([name]) => name,
        depthIdentifier: 'json',
      })
      .map((members) => ({
        spaced: `{${members
          .map(([name, before, after, value]) => {
            return `${before}${JSON.stringify(name)}${after}:${before}${value.spaced}${after}`;
          })
          .join(',')}}`,
        compact: `{${members
          .map(([name, , , value]) => `${JSON.stringify(name)}:${value.compact}`)
          .join(',')}}`,
      })),
  ),
})).value;

/** One text for all values that are equal in a plain reading: members sorted, names as own ones. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`,
  );
  return `{${members.sort().join(',')}}`;
}
