import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePolicyJson } from '../../server/s3/policy-json.ts';
import { type PostPolicy, parsePostPolicy } from '../../server/s3/post-policy.ts';
import { policyVectors, told } from './aws-examples.ts';

const expiration = '2030-01-01T00:00:00Z';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function parseText(text: string): PostPolicy {
  return parsePostPolicy(base64(text));
}

function parseCondition(condition: unknown): PostPolicy['conditions'][number] | undefined {
  return parseText(JSON.stringify({ expiration, conditions: [condition] })).conditions[0];
}

function refusal(parse: () => unknown): string {
  const [code, status, message] = told(parse);
  expect([code, status]).toEqual(['InvalidPolicyDocument', 400]);
  return message;
}

describe('parsePostPolicy', () => {
  test.each(policyVectors)('reads $name', ({ policy }) => {
    expect(parsePostPolicy(policy).conditions.length).toBeGreaterThan(5);
  });

  test('reads every kind of condition, and shows each as S3 does', () => {
    const { conditions } = parseText(`{"expiration":"${expiration}","conditions":[
      {"bucket":"b"}, ["eq","$Key","a\\"b\\\\$"], ["Starts-With", "$x-amz-meta-a", ""],
      ["content-length-range", 1, "10"], ["eq","key","v"], ["content-length-range","test","10"]]}`);
    expect(conditions).toEqual([
      { operator: 'eq', field: 'bucket', value: 'b', text: '["eq", "$bucket", "b"]' },
      { operator: 'eq', field: 'key', value: 'a"b\\$', text: '["eq", "$Key", "a\\"b\\\\$"]' },
      {
        operator: 'starts-with',
        field: 'x-amz-meta-a',
        value: '',
        text: '["Starts-With", "$x-amz-meta-a", ""]',
      },
      {
        operator: 'content-length-range',
        range: { min: 1, max: 10 },
        text: '["content-length-range", 1, "10"]',
      },
      { operator: 'eq', field: undefined, value: 'v', text: '["eq", "key", "v"]' },
      {
        operator: 'content-length-range',
        range: undefined,
        text: '["content-length-range", "test", "10"]',
      },
    ]);
  });

  test('reads the expiration of the console with its six digits', () => {
    const policy = parseText('{"expiration":"2022-10-30T15:23:18.989274Z","conditions":[]}');
    expect(policy.expiration).toBeCloseTo(Date.UTC(2022, 9, 30, 15, 23, 18) + 989.274, 3);
  });

  test('reads base64 with line breaks', () => {
    const text = base64(`{"expiration":"${expiration}","conditions":[]}`);
    expect(parsePostPolicy(`${text.slice(0, 20)}\r\n${text.slice(20)}\n`).conditions).toEqual([]);
  });

  test.each(['%', 'e30', 'e30==', 'e3=0', 'e30=e30=', 'eyA_fQ==', 'é', 'x'])(
    '%j is no base64',
    (text) => {
      expect(refusal(() => parsePostPolicy(text))).toBe('Invalid Policy: invalid Base64 encoding.');
    },
  );

  test.each([
    '',
    '{',
    'x',
    '{"expiration":"2030-01-01T00:00:00Z","conditions":[],}',
    '{"expiration":"2030-01-01T00:00:00Z","conditions":[]} x',
    "{'expiration':'2030-01-01T00:00:00Z','conditions':[]}",
    '{"conditions":[["eq","$key","\\$a"]]}',
    '\ufeff{"expiration":"2030-01-01T00:00:00Z","conditions":[]}',
    `{"expiration":"2030-01-01T00:00:00Z","conditions":${'['.repeat(20)}${']'.repeat(20)}}`,
  ])('%j is no JSON', (text) => {
    expect(refusal(() => parseText(text))).toBe('Invalid Policy: Invalid JSON.');
  });

  test('invalid UTF-8 is no JSON', () => {
    const bytes = Buffer.from(
      `{"expiration":"${expiration}","conditions":[{"key":"\u00ff"}]}`,
      'latin1',
    );
    expect(refusal(() => parsePostPolicy(bytes.toString('base64')))).toBe(
      'Invalid Policy: Invalid JSON.',
    );
  });

  test.each([
    ['[]', 'Policy must be a JSON object.'],
    ['null', 'Policy must be a JSON object.'],
    ['1', 'Policy must be a JSON object.'],
    ['"{}"', 'Policy must be a JSON object.'],
    ['{}', 'Policy missing expiration.'],
    ['{"conditions":[]}', 'Policy missing expiration.'],
    ['{"expiration":"2030-01-01T00:00:00Z"}', 'Policy missing conditions.'],
    ['{"EXPIRATION":"2030-01-01T00:00:00Z","conditions":[]}', "Unexpected: 'EXPIRATION'"],
    ['{"expiration":"2030-01-01T00:00:00Z","CONDITIONS":[]}', "Unexpected: 'CONDITIONS'"],
    ['{"Statement":[]}', "Unexpected: 'Statement'"],
    [
      '{"expiration":"2000-01-01T00:00:00Z","expiration":"2030-01-01T00:00:00Z","conditions":[]}',
      "'expiration' is given more than once.",
    ],
    [
      '{"expiration":"2030-01-01T00:00:00Z","conditions":[],"\\u0063onditions":[]}',
      "'conditions' is given more than once.",
    ],
    [
      '{"expiration":"2030-01-01T00:00:00Z","conditions":{}}',
      "Invalid 'conditions' value: must be a List.",
    ],
    ['{"expiration":"tomorrow","conditions":[]}', "Invalid 'expiration' value: 'tomorrow'"],
    [
      '{"expiration":"2026-09-29 12:00:00.123456+00:00","conditions":[]}',
      "Invalid 'expiration' value: '2026-09-29 12:00:00.123456+00:00'",
    ],
    ['{"expiration":1893456000,"conditions":[]}', "Invalid 'expiration' value: '1893456000'"],
    ['{"expiration":null,"conditions":[]}', "Invalid 'expiration' value: 'null'"],
  ])('%s is refused', (text, fault) => {
    expect(refusal(() => parseText(text))).toBe(`Invalid Policy: ${fault}`);
  });

  const simple =
    'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.';
  test.each([
    [{}, simple],
    [{ bucket: 'b', key: 'k' }, simple],
    [{ key: 1 }, 'Invalid Simple-Condition: value must be a string.'],
    [{ key: null }, 'Invalid Simple-Condition: value must be a string.'],
    [[], 'Invalid Condition: missing operation identifier.'],
    [[1, '$key', 'a'], 'Invalid Condition: missing operation identifier.'],
    [['ends-with', '$key', 'a'], "Invalid Condition: unknown operation 'ends-with'."],
    [['__proto__', '$key', 'a'], "Invalid Condition: unknown operation '__proto__'."],
    [['eq', '$key'], 'Invalid eq: wrong number of arguments.'],
    [['eq', '$key', 'a', 'b'], 'Invalid eq: wrong number of arguments.'],
    [['starts-with'], 'Invalid starts-with: wrong number of arguments.'],
    [['eq', '$key', 1], 'Invalid eq: arguments must be strings.'],
    [['eq', null, 'a'], 'Invalid eq: arguments must be strings.'],
    [['content-length-range', 0], 'Invalid content-length-range: wrong number of arguments.'],
    [
      ['content-length-range', -1, 0],
      'Invalid content-length-range: arguments must not be negative.',
    ],
    [
      ['content-length-range', '0', '-5'],
      'Invalid content-length-range: arguments must not be negative.',
    ],
    [
      ['content-length-range', 0, 1.5],
      'Invalid content-length-range: arguments must be whole numbers.',
    ],
    [['content-length-range', 0, null], 'Invalid content-length-range: arguments must be numbers.'],
    [['content-length-range', [0], 1], 'Invalid content-length-range: arguments must be numbers.'],
    ['key', 'Invalid condition test: must be a List or Object.'],
    [1, 'Invalid condition test: must be a List or Object.'],
    [null, 'Invalid condition test: must be a List or Object.'],
  ])('the condition %j is refused', (condition, fault) => {
    expect(refusal(() => parseCondition(condition))).toBe(`Invalid Policy: ${fault}`);
  });

  test('a simple condition that gives its name twice is refused', () => {
    const text = `{"expiration":"${expiration}","conditions":[{"acl":"private","acl":"public-read"}]}`;
    expect(refusal(() => parseText(text))).toBe(`Invalid Policy: ${simple}`);
  });

  test('a float is no number of bytes, even a whole one', () => {
    const text = `{"expiration":"${expiration}","conditions":[["content-length-range",0,512.0]]}`;
    expect(refusal(() => parseText(text))).toContain('must be whole numbers');
  });

  test('a range may be larger than any file', () => {
    const text = `{"expiration":"${expiration}","conditions":[["content-length-range",0,99999999999999999999]]}`;
    expect(parseText(text).conditions[0]).toMatchObject({ range: { min: 0, max: 1e20 } });
  });

  test('a hostile document of the size of a form is refused at once', () => {
    const times = [1, 2, 3].map(() => {
      const before = performance.now();
      for (const text of ['['.repeat(15_000), '{"a":'.repeat(3_000), `"${'\\'.repeat(14_999)}`]) {
        refusal(() => parseText(text));
      }
      return performance.now() - before;
    });
    // The quickest: a machine may stand still for a moment.
    expect(Math.min(...times)).toBeLessThan(1_000);
  });
});

/** What parsePolicyJson should make of a JSON value, by way of JSON.parse. */
function expected(value: unknown): unknown {
  if (typeof value === 'number') return { number: JSON.stringify(value) };
  if (Array.isArray(value)) return value.map(expected);
  if (value === null || typeof value !== 'object') return value;
  return { members: Object.entries(value).map(([name, member]) => [name, expected(member)]) };
}

describe('parsePolicyJson', () => {
  test('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom('', ' ', '\n\t'),
        (value, space) => {
          expect(parsePolicyJson(JSON.stringify(value, null, space))).toEqual(expected(value));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('reads and refuses what JSON.parse does', () => {
    const pieces = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"a"',
        '"',
        '\\u00',
        '1',
        '-',
        '.5',
        'e1',
        'true',
        'nul',
        ' ',
      ],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        expect(accepts(parsePolicyJson, text)).toBe(accepts(JSON.parse, text));
      }),
      { numRuns: 1_000 },
    );
  });
});

function accepts(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return false;
  }
}
