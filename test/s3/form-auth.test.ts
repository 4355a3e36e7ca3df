import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPostPolicy } from '../../server/s3/check-post-policy.ts';
import { parseFormAuth } from '../../server/s3/form-auth.ts';
import { formFields } from '../../server/s3/form-fields.ts';
import { parsePostPolicy } from '../../server/s3/post-policy.ts';
import {
  signedUrlFields,
  signPostPolicyV2,
  signPostPolicyV4,
  submitFilesFields,
} from '../../server/s3/sign-post-policy.ts';
import { signingKeyV4, verifySignature } from '../../server/s3/signature.ts';
import { authFields, type PolicyVector, policyVectors, s3ErrorOf, told } from './aws-examples.ts';

type Pairs = (readonly [name: string, value: string])[];

function verify(pairs: Pairs, secretAccessKey: string): void {
  const claim = parseFormAuth(formFields(pairs));
  if (claim === undefined) throw new Error('The form should carry a signature.');
  verifySignature(claim, secretAccessKey);
}

function replaced(pairs: Pairs, name: string, value: string): Pairs {
  return pairs.map((pair) => (pair[0] === name ? [name, value] : pair));
}

describe.each(policyVectors)('$name', (vector: PolicyVector) => {
  const pairs = authFields(vector);
  const signatureName = vector.version === 'v2' ? 'signature' : 'x-amz-signature';

  test('verifies', () => {
    expect(parseFormAuth(formFields(pairs))).toMatchObject({
      version: vector.version,
      accessKeyId: vector.accessKeyId,
      securityToken: undefined,
    });
    verify(pairs, vector.secretAccessKey);
  });

  test('does not with one bit changed anywhere in policy or signature', () => {
    for (const [name, text] of [
      ['policy', vector.policy],
      [signatureName, vector.signature],
    ] as const) {
      for (let at = 0; at < text.length; at += 1) {
        const bit = 1 << (at % 7);
        const changed = String.fromCharCode(text.charCodeAt(at) ^ bit);
        const other = replaced(pairs, name, text.slice(0, at) + changed + text.slice(at + 1));
        expect(s3ErrorOf(() => verify(other, vector.secretAccessKey)).code).toBe(
          'SignatureDoesNotMatch',
        );
      }
    }
  });

  test('does not with characters added, lost or swapped for others of the same low byte', () => {
    const { policy, signature, secretAccessKey } = vector;
    const others = [
      replaced(pairs, 'policy', `${policy} `),
      replaced(pairs, 'policy', policy.slice(0, -2)),
      replaced(
        pairs,
        'policy',
        String.fromCharCode(policy.charCodeAt(0) + 0x100) + policy.slice(1),
      ),
      replaced(pairs, signatureName, ''),
      replaced(pairs, signatureName, `${signature}0`),
      replaced(pairs, signatureName, signature.slice(0, -1)),
      replaced(
        pairs,
        signatureName,
        vector.version === 'v4' ? signature.toUpperCase() : `${signature}=`,
      ),
    ];
    for (const other of others) {
      expect(s3ErrorOf(() => verify(other, secretAccessKey)).code).toBe('SignatureDoesNotMatch');
    }
    expect(s3ErrorOf(() => verify(pairs, `${secretAccessKey}x`)).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  test('a mismatch tells what was signed', () => {
    const { accessKeyId, policy } = vector;
    const [code, status, message, members] = told(() => verify(pairs, 'other'));
    expect([code, status, message]).toEqual([
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    ]);
    expect(members).toEqual({
      AWSAccessKeyId: accessKeyId,
      StringToSign: policy,
      SignatureProvided: vector.signature,
      StringToSignBytes: [...policy].map((char) => char.charCodeAt(0).toString(16)).join(' '),
    });
  });
});

describe('parseFormAuth', () => {
  const [v2, v4] = policyVectors;
  if (v2 === undefined || v4 === undefined) throw new Error('The vectors are missing.');
  const pairsV2 = authFields(v2);
  const pairsV4 = authFields(v4);

  function without(pairs: Pairs, name: string): Pairs {
    return pairs.filter(([other]) => other !== name);
  }

  function refusal(pairs: Pairs): [string, number, string, Record<string, string>] {
    return told(() => parseFormAuth(formFields(pairs)));
  }

  test('takes a form without policy and signature for anonymous', () => {
    expect(parseFormAuth(formFields([['key', 'a']]))).toBeUndefined();
  });

  test('denies a policy without any authentication field', () => {
    expect(refusal([['policy', v2.policy]])).toEqual(['AccessDenied', 403, 'Access Denied', {}]);
  });

  test.each([
    [pairsV2, 'signature', 'Signature'],
    [pairsV2, 'AWSAccessKeyId', 'AWSAccessKeyId'],
    [pairsV2, 'policy', 'policy'],
    [pairsV4, 'x-amz-signature', 'X-Amz-Signature'],
    [pairsV4, 'x-amz-algorithm', 'X-Amz-Algorithm'],
    [pairsV4, 'x-amz-credential', 'X-Amz-Credential'],
    [pairsV4, 'x-amz-date', 'X-Amz-Date'],
    [pairsV4, 'policy', 'policy'],
  ])('names the field that is missing from %j: %s', (pairs, missing, name) => {
    expect(refusal(without(pairs, missing))).toEqual([
      'InvalidArgument',
      400,
      `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      { ArgumentName: name, ArgumentValue: '' },
    ]);
  });

  test('names the algorithm before the credential, and any of them when only one is there', () => {
    const two = without(without(pairsV4, 'x-amz-credential'), 'x-amz-algorithm');
    expect(refusal(two)[3]['ArgumentName']).toBe('X-Amz-Algorithm');
    expect(refusal([['x-amz-date', '20190220T000000Z']])[3]['ArgumentName']).toBe(
      'X-Amz-Signature',
    );
  });

  test.each([
    ['x-amz-algorithm', 'AWS4-HMAC-SHA1', 'Only AWS4-HMAC-SHA256 is supported'],
    ['x-amz-date', '2019-02-20', 'X-Amz-Date must be formated via ISO8601 Long format'],
    [
      'x-amz-credential',
      'accessKey1/us-east-1/s3/aws4_request',
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ],
    [
      'x-amz-credential',
      '/20190220/us-east-1/s3/aws4_request',
      'a non-empty Access Key (AKID) must be provided in the credential.',
    ],
    [
      'x-amz-credential',
      'a/20190220//s3/aws4_request',
      'a non-empty region must be provided in the credential.',
    ],
    [
      'x-amz-credential',
      'a/20190220/us-east-1/ec2/aws4_request',
      'incorrect service "ec2". This endpoint belongs to "s3".',
    ],
    [
      'x-amz-credential',
      'a/20190220/us-east-1/s3/aws3_request',
      'incorrect terminal "aws3_request". This endpoint uses "aws4_request".',
    ],
    [
      'x-amz-credential',
      'a/today/us-east-1/s3/aws4_request',
      'incorrect date format "today". This date in the credential must be in the format "yyyyMMdd".',
    ],
  ])('refuses %s %s', (name, value, message) => {
    const [code, status, told, members] = refusal(replaced(pairsV4, name, value));
    expect([code, status, told]).toEqual(['InvalidArgument', 400, message]);
    expect([members['ArgumentName']?.toLowerCase(), members['ArgumentValue']]).toEqual([
      name,
      value,
    ]);
  });

  test('takes names in any case, any region, and the expiry for the date', () => {
    const scope = { date: '20190220', region: 'mars-1', service: 's3' };
    const signature = createHmac('sha256', signingKeyV4('s', scope)).update('p').digest('hex');
    const pairs: Pairs = [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-AMZ-CREDENTIAL', 'a/20190220/mars-1/s3/aws4_request'],
      ['X-Amz-Date', '20991231T235959Z'],
      ['Policy', 'p'],
      ['X-Amz-Signature', signature],
    ];
    verify(pairs, 's');
    expect(parseFormAuth(formFields(pairs))).toMatchObject({ accessKeyId: 'a', scope });
  });

  test('takes an empty security token for none', () => {
    const token: [string, string] = ['X-Amz-Security-Token', ''];
    expect(parseFormAuth(formFields([...pairsV4, token]))?.securityToken).toBeUndefined();
    expect(
      parseFormAuth(formFields([...pairsV2, ['x-amz-security-token', 't']]))?.securityToken,
    ).toBe('t');
    verify([...pairsV4, token], v4.secretAccessKey);
  });

  test('a field given twice is not one of them', () => {
    const pairs: Pairs = [...pairsV4, ['X-Amz-Signature', v4.signature]];
    expect(s3ErrorOf(() => verify(pairs, v4.secretAccessKey)).code).toBe('SignatureDoesNotMatch');
  });
});

describe('signing', () => {
  test('makes the example of create_signed_url, byte for byte', () => {
    const vector = policyVectors[1];
    if (vector === undefined) throw new Error('The vectors are missing.');
    const now = Date.UTC(2019, 1, 20, 18, 40, 23, 500);
    const fields: [string, string][] = [
      ['key', 'direct_uploads/b8a12730-67b9-449f-96cd-7d0e3542fa94'],
      ['success_action_status', '201'],
    ];
    const conditions = [
      { bucket: 'etapidirectbuckettest' },
      ...fields.map(([name, value]) => ({ [name]: value })),
    ];
    const signed = signPostPolicyV4(vector, {
      conditions,
      expiration: now + 3_600_000,
      region: 'us-east-1',
      now,
    });
    expect(signedUrlFields(fields, signed)).toEqual([
      ...fields,
      ['policy', vector.policy],
      ['x-amz-credential', 'accessKey1/20190220/us-east-1/s3/aws4_request'],
      ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
      ['x-amz-date', '20190220T184023Z'],
      ['x-amz-signature', vector.signature],
    ]);
  });

  test('makes the fields of submit-files in their order', () => {
    const signed = signPostPolicyV4(
      { accessKeyId: 'a', secretAccessKey: 's', securityToken: 't' },
      { conditions: [{ bucket: 'b' }, { key: 'k' }], expiration: 60_000, region: 'r', now: 0 },
    );
    const fields = submitFilesFields(
      [
        ['key', 'k'],
        ['bucket', 'b'],
      ],
      signed,
    );
    expect(fields.map(([name]) => name)).toEqual([
      'key',
      'bucket',
      'X-Amz-Algorithm',
      'X-Amz-Credential',
      'X-Amz-Date',
      'X-Amz-Security-Token',
      'Policy',
      'X-Amz-Signature',
    ]);
    verify(fields, 's');
    checkPostPolicy(parsePostPolicy(signed.policy), formFields(fields), 59_999, { bucket: 'b' });
  });

  const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const secret = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
  const position = fc.nat();

  test('random policies verify, and mutated ones do not', () => {
    fc.assert(
      fc.property(
        key,
        secret,
        position,
        fc.integer({ min: 1, max: 127 }),
        fc.boolean(),
        (name, secretAccessKey, at, flip, isV4) => {
          const credentials = { accessKeyId: 'AK', secretAccessKey };
          const form = {
            conditions: [
              { bucket: 'b' },
              ['starts-with', '$key', name.slice(0, 1)],
              ['content-length-range', 0, at],
            ] as const,
            expiration: 1_000_000,
            region: 'us-east-1',
            now: 0,
          };
          const signedV2 = signPostPolicyV2(credentials, form);
          const pairs: Pairs = isV4
            ? signedUrlFields([['key', name]], signPostPolicyV4(credentials, form))
            : [
                ['key', name],
                ['AWSAccessKeyId', 'AK'],
                ['policy', signedV2.policy],
                ['signature', signedV2.signature],
              ];
          verify(pairs, secretAccessKey);
          const fields = formFields(pairs);
          const policy = parsePostPolicy(fields.get('policy')?.value ?? '');
          expect(checkPostPolicy(policy, fields, 999_999, { bucket: 'b' })).toEqual([
            { min: 0, max: at },
          ]);

          const mutable = pairs.filter(([field]) =>
            /^(policy|signature|x-amz-signature)$/.test(field),
          );
          const [field = '', text = ''] = mutable[at % mutable.length] ?? [];
          const index = at % text.length;
          const mutated =
            text.slice(0, index) +
            String.fromCharCode(text.charCodeAt(index) ^ flip) +
            text.slice(index + 1);
          expect(
            s3ErrorOf(() => verify(replaced(pairs, field, mutated), secretAccessKey)).code,
          ).toBe('SignatureDoesNotMatch');
        },
      ),
      { numRuns: 150 },
    );
  });
});
