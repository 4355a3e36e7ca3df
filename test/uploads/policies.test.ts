import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { ADMIN_KEY, type S3Server, startS3Server } from '../support/s3-server.ts';
import { inOneHour, type SignedForm } from '../support/sign-form.ts';

/** What a policy lets through, and S3's own words for what it does not. */

let server: S3Server;
const KEY = 'user/eric/a.txt';
const POLICY = 'Invalid according to Policy: ';
const INVALID = /^Invalid Policy: \S/;

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('policies');
  await server.makeBucket('policies-of-another');
});

afterAll(() => server.stop());

type Form = Omit<SignedForm, 'pair' | 'bucket' | 'fields'> & {
  readonly fields?: Readonly<Record<string, string>>;
};

function upload(form: Form, file = 'bytes') {
  const fields = form.fields ?? { key: KEY };
  return server.uploadSigned({ bucket: 'policies', ...form, fields }, { path: '/policies', file });
}

describe('what is refused', () => {
  // One removal proves it of all: a bucket with an object in it cannot be removed.
  afterEach(async () => {
    await server.expectEmptyBucket('policies');
    expect(await server.blobs()).toEqual([]);
  });

  it.each([
    ['years ago', '2007-12-01T12:00:00.000Z'],
    ['a second ago', new Date(Date.now() - 1_000).toISOString()],
    ['in another zone', `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}+02:00`],
    ['with microseconds', '2022-10-30T15:23:18.989274Z'],
  ])('a policy that expired %s', async (_name, expiration) => {
    const message = `${POLICY}Policy expired.`;
    expectS3Error(await upload({ expiration }), 403, 'AccessDenied', { Message: message });
  });

  it.each<[string, unknown, string]>([
    ['eq', ['eq', '$key', 'other'], '["eq", "$key", "other"]'],
    ['a simple condition', { key: 'other' }, '["eq", "$key", "other"]'],
    [
      'eq with another case',
      ['eq', '$key', 'USER/ERIC/A.TXT'],
      '["eq", "$key", "USER/ERIC/A.TXT"]',
    ],
    ['starts-with', ['starts-with', '$key', 'user/b'], '["starts-with", "$key", "user/b"]'],
    ['a pattern', ['starts-with', '$key', 'user/*'], '["starts-with", "$key", "user/*"]'],
    ['an absent field', ['eq', '$acl', 'private'], '["eq", "$acl", "private"]'],
    ['an absent field, any value', ['starts-with', '$acl', ''], '["starts-with", "$acl", ""]'],
    ['another bucket', { bucket: 'uploads' }, '["eq", "$bucket", "uploads"]'],
    ['a field without its $', ['eq', 'key', KEY], `["eq", "key", "${KEY}"]`],
  ])('a condition that fails: %s', async (_name, condition, shown) => {
    const answer = await upload({ more: [condition] });
    const message = `${POLICY}Policy Condition failed: ${shown}`;
    expectS3Error(answer, 403, 'AccessDenied', { Message: message });
  });

  it('a backslash is a backslash', async () => {
    const answer = await upload({ fields: { key: 'a$b' }, more: [['eq', '$key', 'a\\$b']] });
    expectS3Error(answer, 403, 'AccessDenied', {
      Message: `${POLICY}Policy Condition failed: ["eq", "$key", "a\\\\$b"]`,
    });
  });

  it.each([
    'acl',
    'Content-Type',
    'success_action_status',
    'success_action_redirect',
    'redirect',
    'x-amz-meta-Uuid',
    'tagging',
    'x-amz-storage-class',
    'Cache-Control',
    'submit',
    'filename',
  ])('a field that no condition covers: %s', async (name) => {
    const conditions = [{ bucket: 'policies' }, { key: KEY }];
    const answer = await upload({ fields: { key: KEY, [name]: 'x' }, conditions });
    const message = `${POLICY}Extra input fields: ${name}`;
    expectS3Error(answer, 403, 'AccessDenied', { Message: message });
  });

  it('a key that no condition covers', async () => {
    const answer = await upload({ conditions: [{ bucket: 'policies' }] });
    expectS3Error(answer, 403, 'AccessDenied', { Message: `${POLICY}Extra input fields: key` });
  });

  it.each([[[]], [[['starts-with', '$bucket', '']]], [[['starts-with', '$bucket', 'policies']]]])(
    'a policy that does not name the bucket: %j',
    async (conditions) => {
      const answer = await upload({ conditions: [...conditions, { key: KEY }] });
      expectS3Error(answer, 403, 'AccessDenied', {
        Message: expect.stringMatching(/^Invalid according to Policy: /),
      });
    },
  );

  const conditions = [{ bucket: 'policies' }, { key: KEY }];
  const expiration = inOneHour();
  it.each<[string, unknown]>([
    ['is no object', []],
    ['is null', null],
    ['lacks expiration', { conditions }],
    ['lacks conditions', { expiration }],
    ['spells Expiration', { Expiration: expiration, conditions }],
    ['spells Conditions', { expiration, Conditions: conditions }],
    ['has an expiration in words', { expiration: 'tomorrow', conditions }],
    ['has an expiration without a zone', { expiration: '2100-01-01T00:00:00', conditions }],
    ['has the 30th of February', { expiration: '2100-02-30T00:00:00Z', conditions }],
    ['has a number for its expiration', { expiration: 4_102_444_800, conditions }],
    ['has an object for its conditions', { expiration, conditions: { key: KEY } }],
    ['has a word among them', { expiration, conditions: [...conditions, 'key'] }],
    ['has an empty list among them', { expiration, conditions: [...conditions, []] }],
    ['has null among them', { expiration, conditions: [...conditions, null] }],
    ['has an unknown operator', { expiration, conditions: [...conditions, ['ne', '$key', 'a']] }],
    ['has too few arguments', { expiration, conditions: [...conditions, ['eq', '$key']] }],
    ['has too many', { expiration, conditions: [...conditions, ['eq', '$key', KEY, KEY]] }],
    ['has one bound', { expiration, conditions: [...conditions, ['content-length-range', 1]] }],
    ['has three', { expiration, conditions: [...conditions, ['content-length-range', 1, 2, 3]] }],
    [
      'has a negative range',
      { expiration, conditions: [...conditions, ['content-length-range', -1, 9]] },
    ],
    [
      'has one as strings',
      { expiration, conditions: [...conditions, ['content-length-range', '-1', '9']] },
    ],
  ])('a policy that %s', async (_name, policy) => {
    const answer = await upload({ policy: JSON.stringify(policy) });
    expectS3Error(answer, 400, 'InvalidPolicyDocument', {
      Message: expect.stringMatching(INVALID),
    });
  });

  it.each([
    ['is no base64', '{"expiration"', true],
    ['is base64 with a letter missing', 'e30', true],
    ['is no JSON', '{"expiration": "2100', false],
    ['is JSON with something behind it', '{}x', false],
    ['has a comma too many', `{"expiration":"${expiration}","conditions":[],}`, false],
  ])('a policy that %s', async (_name, policy, isEncoded) => {
    const answer = await upload({ policy, isEncoded });
    expectS3Error(answer, 400, 'InvalidPolicyDocument', {
      Message: expect.stringMatching(INVALID),
    });
  });

  it.each([{}, { bucket: 'policies', key: KEY }])('the object condition %j', async (condition) => {
    expectS3Error(await upload({ more: [condition] }), 400, 'InvalidPolicyDocument', {
      Message:
        'Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
    });
  });

  it('the bucket of the URL when the policy names another, whatever the form field says', async () => {
    const form = {
      bucket: 'policies-of-another',
      fields: { key: KEY, bucket: 'policies-of-another' },
    };
    for (const path of ['/policies', '/uploads']) {
      const answer = await server.uploadSigned(form, { path, file: 'x' });
      expectS3Error(answer, 403, 'AccessDenied', { Message: expect.stringMatching(/\S/) });
    }
    await server.expectEmptyBucket('policies-of-another');
    await server.expectEmptyBucket('uploads');
  });

  it('Content-Type where one of the listed does not match', async () => {
    const answer = await upload({
      fields: { key: KEY, 'Content-Type': 'image/png,text/html' },
      conditions: [...conditions, ['starts-with', '$Content-Type', 'image/']],
    });
    const message = `${POLICY}Policy Condition failed: ["starts-with", "$Content-Type", "image/"]`;
    expectS3Error(answer, 403, 'AccessDenied', { Message: message });
  });

  it('what was said by a policy that the signature is not of', async () => {
    const [other] = [{ policy: JSON.stringify({ expiration, conditions: [] }) }];
    expectS3Error(await upload(other), 403, 'AccessDenied');
  });
});

describe('what is let through', () => {
  it.each<[string, Form]>([
    ['simple conditions', { conditions: [{ bucket: 'policies' }, { key: KEY }] }],
    [
      'eq',
      {
        conditions: [
          ['eq', '$bucket', 'policies'],
          ['eq', '$key', KEY],
        ],
      },
    ],
    [
      'starts-with',
      { conditions: [{ bucket: 'policies' }, ['starts-with', '$key', 'user/eric/']] },
    ],
    ['any value', { conditions: [{ bucket: 'policies' }, ['starts-with', '$key', '']] }],
    [
      'operators and fields in other case',
      { conditions: [{ Bucket: 'policies' }, ['EQ', '$KEY', KEY]] },
    ],
    ['Starts-With', { conditions: [{ bucket: 'policies' }, ['Starts-With', '$Key', 'user']] }],
    ['several conditions of one field', { more: [['starts-with', '$key', 'user'], { key: KEY }] }],
    ['an expiration in another zone', { expiration: '2100-01-01T00:00:00+02:00' }],
    ['an expiration with microseconds', { expiration: '2100-01-01T00:00:00.989274Z' }],
    ['an expiration without fractions', { expiration: '2100-01-01T00:00:00Z' }],
    [
      'listed content types that each match',
      {
        fields: { key: KEY, 'Content-Type': 'image/png,image/gif' },
        conditions: [
          { bucket: 'policies' },
          { key: KEY },
          ['starts-with', '$Content-Type', 'image/'],
        ],
      },
    ],
    [
      'fields that need no condition',
      {
        fields: {
          key: KEY,
          'x-ignore-me': 'x',
          'X-Ignore-': 'y',
          'x-amz-checksum-crc32c': 'vyDl4A==',
        },
        conditions: [{ bucket: 'policies' }, { key: KEY }],
      },
    ],
    ['a backslash that is one', { fields: { key: 'a\\$b' }, more: [['eq', '$key', 'a\\$b']] }],
    [
      'a field in another case than its condition',
      { fields: { KEY }, conditions: [{ bucket: 'policies' }, { key: KEY }] },
    ],
  ])('%s', async (_name, form) => {
    const answer = await upload(form);
    if (answer.xml['Code'] === 'BadDigest') expect(answer.text).toContain('CRC32C');
    else expect(answer.status, answer.text).toBe(204);
  });

  it('base64 with line breaks, as old encoders make it', async () => {
    const text = JSON.stringify({
      expiration: inOneHour(),
      conditions: [{ bucket: 'policies' }, { key: KEY }],
    });
    const policy = Buffer.from(text)
      .toString('base64')
      .replace(/(.{64})/g, '$1\n');
    expect((await upload({ policy, isEncoded: true })).status).toBe(204);
  });

  it('a policy that covers the value after $' + '{filename} was replaced', async () => {
    const answer = await server.uploadSigned(
      {
        pair: ADMIN_KEY,
        bucket: 'policies',
        fields: { key: 'user/$' + '{filename}' },
        conditions: [{ bucket: 'policies' }, { key: 'user/photo.jpg' }],
      },
      { file: 'x', filename: 'photo.jpg' },
    );
    expect(answer.status, answer.text).toBe(204);
  });
});
