// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is a variable of S3's forms.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkPostPolicy,
  checkSize,
  checkSizeSoFar,
  policyBucket,
} from '../../server/s3/check-post-policy.ts';
import { formFields } from '../../server/s3/form-fields.ts';
import { type ContentLengthRange, parsePostPolicy } from '../../server/s3/post-policy.ts';
import { told } from './aws-examples.ts';

const now = Date.UTC(2020, 0, 1);

type Pairs = [name: string, value: string][];

function policyOf(conditions: unknown[], expiration = '2020-01-01T00:00:01Z'): string {
  return Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64');
}

/** Checks a form for the bucket `b`; its policy names the bucket unless `conditions` do. */
function check(conditions: unknown[], pairs: Pairs, filename?: string): ContentLengthRange[] {
  const policy = parsePostPolicy(policyOf([{ bucket: 'b' }, ...conditions]));
  return checkPostPolicy(policy, formFields(pairs, filename), now, { bucket: 'b' });
}

function denied(call: () => unknown): string {
  const [code, status, message] = told(call);
  expect([code, status]).toEqual(['AccessDenied', 403]);
  return message;
}

describe('expiration', () => {
  function at(expiration: string, time: number): void {
    const policy = parsePostPolicy(policyOf([{ bucket: 'b' }], expiration));
    checkPostPolicy(policy, formFields([]), time, { bucket: 'b' });
  }

  test('a policy has expired from its very instant on', () => {
    at('2020-01-01T00:00:01Z', now + 999);
    expect(denied(() => at('2020-01-01T00:00:01Z', now + 1_000))).toBe(
      'Invalid according to Policy: Policy expired.',
    );
  });

  test('digits below the millisecond count', () => {
    at('2022-10-30T15:23:18.989274Z', Date.UTC(2022, 9, 30, 15, 23, 18, 989));
    denied(() => at('2022-10-30T15:23:18.989274Z', Date.UTC(2022, 9, 30, 15, 23, 18, 990)));
  });

  test('an offset counts', () => {
    at('2020-01-01T02:00:01+02:00', now + 999);
    denied(() => at('2020-01-01T02:00:01+02:00', now + 1_000));
  });

  test('comes before the conditions', () => {
    const policy = parsePostPolicy(policyOf([['eq', '$key', 'a']]));
    const fields = formFields([['extra', '']]);
    expect(
      denied(() => checkPostPolicy(policy, fields, now + 5_000, { bucket: 'other' })),
    ).toContain('Policy expired.');
  });
});

describe('conditions', () => {
  test.each([
    ['an exact match', { key: 'a' }, [['key', 'a']]],
    ['an exact match as a list', ['eq', '$key', 'a'], [['key', 'a']]],
    ['the empty value', { 'x-amz-security-token': '' }, [['x-amz-security-token', '']]],
    ['a prefix', ['starts-with', '$key', 'user/'], [['key', 'user/eric/a']]],
    ['the whole value as a prefix', ['starts-with', '$key', 'a'], [['key', 'a']]],
    ['the empty prefix', ['starts-with', '$x-amz-meta-tag', ''], [['x-amz-meta-tag', '…']]],
    ['the empty prefix of an empty value', ['starts-with', '$acl', ''], [['acl', '']]],
    ['names in any case', ['EQ', '$cOnTeNt-TyPe', 'a'], [['Content-Type', 'a']]],
    ['a simple name in any case', { 'X-Amz-Meta-A': 'a' }, [['x-amz-meta-a', 'a']]],
    ['an operator in any case', ['StArTs-WiTh', '$KeY', 'foo'], [['kEy', 'foo.txt']]],
    ['a backslash as a backslash', ['starts-with', '$key', '\\$foo'], [['key', '\\$foo.txt']]],
    ['two dollars as two dollars', { key: 'a$$b' }, [['key', 'a$$b']]],
    [
      'a list of types',
      ['starts-with', '$Content-Type', 'image/'],
      [['Content-Type', 'image/jpg,image/png,image/gif']],
    ],
    [
      'a list with spaces',
      ['starts-with', '$content-type', 'image/'],
      [['Content-Type', 'image/jpg, image/png']],
    ],
    ['a list exactly', ['eq', '$Content-Type', 'a,b'], [['Content-Type', 'a,b']]],
    [
      'fields of one name, joined',
      { 'x-amz-meta-tag': 'Ninja,Stallman' },
      [
        ['x-amz-meta-tag', 'Ninja'],
        ['x-amz-meta-tag', 'Stallman'],
      ],
    ],
  ] as [string, unknown, Pairs][])('%s holds', (_, condition, pairs) => {
    expect(check([condition], pairs)).toEqual([]);
  });

  test('match what is left of ${filename}', () => {
    check([['starts-with', '$key', 'user/a.txt']], [['key', 'user/${filename}']], 'C:\\d\\a.txt');
    expect(
      denied(() => check([{ key: 'user/${filename}' }], [['key', 'user/${filename}']], 'a')),
    ).toBe(
      'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "user/${filename}"]',
    );
  });

  test.each([
    [{ key: 'a' }, [['key', 'b']], '["eq", "$key", "a"]'],
    [{ Key: 'a' }, [['key', 'A']], '["eq", "$Key", "a"]'],
    [['eq', '$key', 'a'], [['key', 'a ']], '["eq", "$key", "a"]'],
    [['Eq', '$key', 'a'], [['key', '']], '["Eq", "$key", "a"]'],
    [['eq', '$x-amz-meta-foo', ''], [['x-amz-meta-foo', 'x']], '["eq", "$x-amz-meta-foo", ""]'],
    [['starts-with', '$key', 'user/'], [['key', 'users/a']], '["starts-with", "$key", "user/"]'],
    [['starts-with', '$key', 'user/'], [['key', 'User/a']], '["starts-with", "$key", "user/"]'],
    [['starts-with', '$key', '\\$foo'], [['key', '$foo']], '["starts-with", "$key", "\\\\$foo"]'],
    [
      ['starts-with', '$Content-Type', 'image/'],
      [['Content-Type', 'image/jpg,text/plain']],
      '["starts-with", "$Content-Type", "image/"]',
    ],
    [
      ['starts-with', '$Content-Type', 'image/'],
      [['Content-Type', 'image/jpg,']],
      '["starts-with", "$Content-Type", "image/"]',
    ],
    [
      ['eq', '$Content-Disposition', 'filename="a"'],
      [],
      '["eq", "$Content-Disposition", "filename=\\"a\\""]',
    ],
    [['starts-with', '$Content-Type', ''], [], '["starts-with", "$Content-Type", ""]'],
    [{ acl: '' }, [], '["eq", "$acl", ""]'],
    [['eq', 'key', 'a'], [['key', 'a']], '["eq", "key", "a"]'],
    [['eq', '$$key', 'a'], [['key', 'a']], '["eq", "$$key", "a"]'],
    [['eq', '$', ''], [['key', 'a']], '["eq", "$", ""]'],
    [['content-length-range', 'test', '10'], [], '["content-length-range", "test", "10"]'],
    [{ 'content-length-range': '0' }, [], '["eq", "$content-length-range", "0"]'],
    [{ __proto__x: 'a' }, [], '["eq", "$__proto__x", "a"]'],
  ] as [unknown, Pairs, string][])('%j fails for %j', (condition, pairs, shown) => {
    expect(denied(() => check([condition], pairs))).toBe(
      `Invalid according to Policy: Policy Condition failed: ${shown}`,
    );
  });

  test('all of a field hold', () => {
    const both = [
      ['starts-with', '$key', 'user/'],
      ['starts-with', '$key', 'user/eric/'],
    ];
    check(both, [['key', 'user/eric/a']]);
    denied(() => check(both, [['key', 'user/ann/a']]));
  });

  test('only Content-Type is a list', () => {
    expect(
      denied(() => check([['starts-with', '$x-amz-meta-a', 'b,']], [['x-amz-meta-a', 'b']])),
    ).toContain('failed');
    check([['starts-with', '$x-amz-meta-a', 'b']], [['x-amz-meta-a', 'b,c']]);
  });
});

describe('the covering rule', () => {
  test('names the field that no condition covers, as it was sent', () => {
    expect(
      denied(() =>
        check(
          [{ key: 'a' }],
          [
            ['key', 'a'],
            ['StorageClass', 'x'],
          ],
        ),
      ),
    ).toBe('Invalid according to Policy: Extra input fields: StorageClass');
    for (const name of [
      'x-amz-meta-b',
      'bucket2',
      'x-amz-date',
      'x-ignore',
      'content-length-range',
    ]) {
      denied(() =>
        check(
          [['content-length-range', 0, 1], { key: 'a' }],
          [
            ['key', 'a'],
            [name, ''],
          ],
        ),
      );
    }
  });

  test('exempts the signature, the file, checksums and x-ignore-', () => {
    const exempt: Pairs = [
      ['Policy', '…'],
      ['signature', '…'],
      ['X-Amz-Signature', '…'],
      ['AWSAccessKeyId', '…'],
      ['file', '…'],
      ['X-Ignore-Foo', '…'],
      ['x-ignore-', '…'],
      ['Content-MD5', '…'],
      ['x-amz-checksum-sha256', '…'],
      ['x-amz-checksum-algorithm', '…'],
    ];
    expect(check([], exempt)).toEqual([]);
  });

  test('holds for the bucket, whether or not it is a field', () => {
    const bare = parsePostPolicy(policyOf([{ key: 'a' }]));
    const prefix = parsePostPolicy(policyOf([{ key: 'a' }, ['starts-with', '$bucket', 'b']]));
    const fields = formFields([['key', 'a']]);
    for (const policy of [bare, prefix]) {
      expect(denied(() => checkPostPolicy(policy, fields, now, { bucket: 'b' }))).toBe(
        'Invalid according to Policy: Extra input fields: bucket',
      );
    }
    check(
      [{ key: 'a' }],
      [
        ['key', 'a'],
        ['bucket', 'b'],
      ],
    );
  });
});

describe('the bucket', () => {
  const policy = parsePostPolicy(policyOf([['eq', '$Bucket', 'b']]));

  test('is the one of the upload, not the one of a field', () => {
    checkPostPolicy(policy, formFields([['bucket', 'other']]), now, { bucket: 'b' });
    const fields = formFields([['bucket', 'b']]);
    expect(denied(() => checkPostPolicy(policy, fields, now, { bucket: 'other' }))).toBe(
      'Invalid according to Policy: Policy Condition failed: ["eq", "$Bucket", "b"]',
    );
    denied(() => checkPostPolicy(policy, formFields([]), now, { bucket: 'B' }));
  });

  test('is told by the policy', () => {
    expect(policyBucket(policy)).toBe('b');
    expect(
      policyBucket(parsePostPolicy(policyOf([['starts-with', '$bucket', 'b']]))),
    ).toBeUndefined();
  });
});

describe('content-length-range', () => {
  test('gives all ranges', () => {
    const ranges = check(
      [
        ['content-length-range', 0, 10],
        ['Content-Length-Range', '5', '20'],
      ],
      [],
    );
    expect(ranges).toEqual([
      { min: 0, max: 10 },
      { min: 5, max: 20 },
    ]);
    for (const size of [5, 10]) checkSize(ranges, size);
    expect(told(() => checkSize(ranges, 12))).toEqual([
      'EntityTooLarge',
      400,
      'Your proposed upload exceeds the maximum allowed size',
      { ProposedSize: '12', MaxSizeAllowed: '10' },
    ]);
    expect(told(() => checkSize(ranges, 1))).toEqual([
      'EntityTooSmall',
      400,
      'Your proposed upload is smaller than the minimum allowed size',
      { ProposedSize: '1', MinSizeAllowed: '5' },
    ]);
  });

  test('cuts an upload off the moment that it is too large', () => {
    const ranges = [{ min: 454, max: 454 }];
    checkSizeSoFar(ranges, 0);
    checkSizeSoFar(ranges, 454);
    expect(told(() => checkSizeSoFar(ranges, 455))[0]).toBe('EntityTooLarge');
  });

  test('of a policy without one holds for any size', () => {
    checkSize([], 0);
    checkSize([], Number.MAX_SAFE_INTEGER);
  });

  test('whose minimum is above its maximum holds for none', () => {
    const ranges = check([['content-length-range', 10, 5]], []);
    for (const size of [0, 5, 7, 10, 11]) told(() => checkSize(ranges, size));
  });
});

describe('a random policy', () => {
  const name: fc.Arbitrary<string> = fc.constantFrom(
    'key',
    'acl',
    'Content-Type',
    'x-amz-meta-a',
    'redirect',
    'tagging',
  );
  const value = fc.string({ unit: 'grapheme', maxLength: 8 });
  const form = fc.uniqueArray(fc.tuple(name, value), {
    selector: ([field]) => field,
    minLength: 1,
  });

  test('accepts the form that it was written for, and no other', () => {
    fc.assert(
      fc.property(form, fc.func(fc.boolean()), fc.nat(), value, (pairs, isPrefix, pick, other) => {
        const conditions = pairs.map(([field, text]) =>
          isPrefix(field)
            ? ['starts-with', `$${field.toUpperCase()}`, text.includes(',') ? '' : text.slice(0, 2)]
            : { [field]: text },
        );
        expect(check(conditions, pairs)).toEqual([]);

        const at = pick % pairs.length;
        const [field = ''] = pairs[at] ?? [];
        denied(() => check(conditions, pairs.toSpliced(at, 1)));
        denied(() => check(conditions.toSpliced(at, 1), pairs));
        denied(() => check(conditions, [...pairs, ['x-other', other]]));
        const changed = pairs.with(at, [field, `${other}\u0000`]);
        const prefix = isPrefix(field) ? conditions[at] : undefined;
        const stillHolds = Array.isArray(prefix) && changed[at]?.[1].startsWith(String(prefix[2]));
        if (!stillHolds) denied(() => check(conditions, changed));
      }),
      { numRuns: 120 },
    );
  });
});
