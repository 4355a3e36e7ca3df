import { describe, expect, test } from 'vitest';
import { checkPostPolicy, checkSize } from '../../server/s3/check-post-policy.ts';
import { parseFormAuth } from '../../server/s3/form-auth.ts';
import { formFields } from '../../server/s3/form-fields.ts';
import { parseObjectAttributes } from '../../server/s3/object-attributes.ts';
import { parsePostPolicy } from '../../server/s3/post-policy.ts';
import { signV2, verifySignature } from '../../server/s3/signature.ts';
import { parseSuccessAction } from '../../server/s3/success-action.ts';
import { policyVectors, s3ErrorOf } from './aws-examples.ts';

type Pairs = [name: string, value: string][];

const [johnsmith] = policyVectors;
if (johnsmith === undefined) throw new Error('The vectors are missing.');

const picture: Pairs = [
  ['key', 'user/eric/MyPicture.jpg'],
  ['acl', 'public-read'],
  ['success_action_redirect', 'http://johnsmith.s3.amazonaws.com/successful_upload.html'],
  ['Content-Type', 'image/jpeg'],
  ['x-amz-meta-uuid', '14365123651274'],
  ['x-amz-meta-tag', 'Some,Tag,For,Picture'],
  ['AWSAccessKeyId', johnsmith.accessKeyId],
  ['Policy', johnsmith.policy],
  ['Signature', johnsmith.signature],
];

const savePolicy =
  'ewogICJleHBpcmF0aW9uIjogIjIwMjItMTAtMzBUMTU6MjM6MTguOTg5Mjc0WiIsCiAgImNvbmRpdGlvbnMiOiBbCiAgICB7ImJ1Y2tldCI6ICJjdHItand2ai1saXZlIiB9LAogICAgeyJhY2wiOiAicHJpdmF0ZSIgfSwKICAgIFsiZXEiLCAiJGtleSIsICIxMC5DVFJfSldWSl9kYXRhc3RvcmUvZHMvMS9kYXRhLzEyMzQ1Njc4OTAxLTAwMDA3Il0sCiAgICBbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwgNDU0LCA0NTRdCiAgXQp9';
const save: Pairs = [
  ['key', '10.CTR_JWVJ_datastore/ds/1/data/12345678901-00007'],
  ['acl', 'private'],
  ['AWSAccessKeyId', 'AMAZONAPIKEY1234'],
  ['policy', savePolicy],
  ['signature', signV2('secret', savePolicy)],
];

describe.each([
  {
    seed: 's3-post-object.md',
    pairs: picture,
    secret: johnsmith.secretAccessKey,
    bucket: 'johnsmith',
    size: 117_108,
    limited: false,
    expiration: Date.UTC(2007, 11, 1, 12),
  },
  {
    seed: 'save-data-post.md',
    pairs: save,
    secret: 'secret',
    bucket: 'ctr-jwvj-live',
    size: 454,
    limited: true,
    expiration: Date.UTC(2022, 9, 30, 15, 23, 18, 990),
  },
])('the form of $seed', ({ pairs, secret, bucket, size, limited, expiration }) => {
  function upload(form: Pairs, now = expiration - 1, to = bucket, bytes = size): void {
    const fields = formFields(form);
    const claim = parseFormAuth(fields);
    if (claim === undefined) throw new Error('The form should carry a signature.');
    verifySignature(claim, secret);
    const policy = parsePostPolicy(fields.get('policy')?.value ?? '');
    checkSize(checkPostPolicy(policy, fields, now, { bucket: to }), bytes);
  }

  function refusal(...attempt: Parameters<typeof upload>): string {
    const { code, message } = s3ErrorOf(() => upload(...attempt));
    return `${code}: ${message}`;
  }

  test('is accepted until it expires', () => {
    upload(pairs);
    expect(refusal(pairs, expiration)).toBe(
      'AccessDenied: Invalid according to Policy: Policy expired.',
    );
  });

  test('is refused for another bucket, another key, an extra field and a field too few', () => {
    expect(refusal(pairs, undefined, 'other')).toContain(
      'Policy Condition failed: ["eq", "$bucket"',
    );
    const key = pairs.map(([name, value]): [string, string] => [
      name,
      name === 'key' ? `x${value}` : value,
    ]);
    expect(refusal(key)).toMatch(/Policy Condition failed: \["(eq|starts-with)", "\$key", /);
    expect(refusal([...pairs, ['extra', '']])).toBe(
      'AccessDenied: Invalid according to Policy: Extra input fields: extra',
    );
    expect(refusal(pairs.filter(([name]) => name !== 'acl'))).toContain(
      'Policy Condition failed: ["eq", "$acl"',
    );
  });

  test('is refused for a byte too many or too few where it says how many', () => {
    if (!limited) return upload(pairs, undefined, bucket, size + 1);
    expect(refusal(pairs, undefined, bucket, size + 1)).toContain('EntityTooLarge');
    expect(refusal(pairs, undefined, bucket, size - 1)).toContain('EntityTooSmall');
    return undefined;
  });
});

test('what the picture says of itself is kept', () => {
  const fields = formFields(picture);
  expect(parseObjectAttributes(fields)).toMatchObject({
    acl: 'public-read',
    headers: { 'content-type': 'image/jpeg' },
    metadata: [
      ['uuid', '14365123651274'],
      ['tag', 'Some,Tag,For,Picture'],
    ],
  });
  expect(parseSuccessAction(fields)).toMatchObject({ status: 303 });
  expect(parseSuccessAction(formFields(save))).toEqual({ status: 204 });
});
