import { describe, expect, test } from 'vitest';
import type { RawRequest } from '../../server/s3/raw-request.ts';
import { parseRequestAuth } from '../../server/s3/request-auth.ts';
import { presignV2, presignV4 } from '../../server/s3/sign-request.ts';
import { verifySignature } from '../../server/s3/signature.ts';
import { example, s3ErrorOf, told } from './aws-examples.ts';

const signedAt = Date.UTC(2013, 4, 24);

const query =
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';

const request: RawRequest = {
  method: 'GET',
  rawPath: '/test.txt',
  rawQuery: query,
  headers: [['Host', 'examplebucket.s3.amazonaws.com']],
  hostBucket: 'examplebucket',
};

function verify(other: RawRequest, now = signedAt): void {
  const claim = parseRequestAuth(other, now);
  if (claim === undefined) throw new Error('The URL should carry a signature.');
  verifySignature(claim, example.secretAccessKey);
}

function withQuery(change: (query: string) => string): RawRequest {
  return { ...request, rawQuery: change(query) };
}

describe("AWS's example of version 4", () => {
  test('verifies', () => {
    verify(request);
    expect(parseRequestAuth(request, signedAt)).toMatchObject({
      accessKeyId: example.accessKeyId,
      payloadHash: 'UNSIGNED-PAYLOAD',
      securityToken: undefined,
    });
  });

  test('is what presignV4 makes of it', () => {
    const options = { region: 'us-east-1', now: signedAt, expiresIn: 86_400 };
    expect(presignV4({ ...request, rawQuery: '' }, example, options)).toBe(query);
  });

  test('verifies with its parameters in another order and encoding', () => {
    verify(withQuery((text) => text.split('&').reverse().join('&')));
    verify(withQuery((text) => text.replaceAll('%2F', '/')));
    verify(withQuery((text) => text.replace('X-Amz-Date', 'X%2dAmz-Date')));
  });

  test('does not verify with anything else', () => {
    const others = [
      withQuery((text) => `${text}&response-content-type=text%2Fhtml`),
      withQuery((text) => text.replace('86400', '86401')),
      withQuery((text) => text.replace('aeeed9', 'beeed9')),
      { ...request, method: 'PUT' },
      { ...request, rawPath: '/test.txt2' },
      { ...request, headers: [['host', 'other'] as const] },
      {
        ...request,
        headers: [...request.headers, ['x-amz-content-sha256', '0'.repeat(64)] as const],
      },
    ];
    for (const other of others) {
      expect(s3ErrorOf(() => verify(other)).code).toBe('SignatureDoesNotMatch');
    }
  });

  test('lives for as long as it says', () => {
    const end = signedAt + 86_400_000;
    verify(request, end);
    expect(told(() => verify(request, end + 1))).toEqual([
      'AccessDenied',
      403,
      'Request has expired',
      {
        'X-Amz-Expires': '86400',
        Expires: '2013-05-25T00:00:00Z',
        ServerTime: '2013-05-25T00:00:00Z',
      },
    ]);
  });

  test('may be dated ahead by 15 minutes', () => {
    verify(request, signedAt - 900_000);
    expect(told(() => verify(request, signedAt - 901_000))).toEqual([
      'AccessDenied',
      403,
      'Request is not yet valid',
      {
        'X-Amz-Date': String(signedAt),
        Expires: '2013-05-25T00:00:00Z',
        ServerTime: '2013-05-23T23:44:59Z',
      },
    ]);
  });

  test.each([
    [
      /X-Amz-Credential=[^&]*&/,
      '',
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    ],
    [
      /&X-Amz-Signature=.*/,
      '',
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    ],
    ['AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA512', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'],
    [
      '20130524T000000Z',
      '2013-05-24',
      `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`,
    ],
    ['86400', '1d', 'X-Amz-Expires should be a number'],
    ['86400', '-1', 'X-Amz-Expires must be non-negative'],
    [
      '86400',
      '604801',
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    ],
    [
      '%2Fus-east-1',
      '',
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ],
    [
      '%2Fs3%2F',
      '%2Fec2%2F',
      'Error parsing the X-Amz-Credential parameter; incorrect service "ec2". This endpoint belongs to "s3".',
    ],
    [
      '%2F20130524%2F',
      '%2F20130523%2F',
      'Invalid credential date "20130523". This date is not the same as X-Amz-Date: "20130524".',
    ],
  ])('is refused with %s replaced by %j', (pattern, replacement, message) => {
    const changed = withQuery((text) => text.replace(pattern, replacement));
    expect(told(() => verify(changed))).toEqual([
      'AuthorizationQueryParametersError',
      400,
      message,
      {},
    ]);
  });

  test('is refused with a header that it does not sign', () => {
    const headers = [
      ...request.headers,
      ['x-amz-meta-b', '1'] as const,
      ['X-Amz-Acl', 'public-read'] as const,
    ];
    expect(told(() => verify({ ...request, headers }))).toEqual([
      'AccessDenied',
      403,
      'There were headers present in the request which were not signed',
      { HeadersNotSigned: 'x-amz-acl, x-amz-meta-b' },
    ]);
  });

  test('counts beside Basic credentials, which browsers add, but not beside another signature', () => {
    verify({ ...request, headers: [...request.headers, ['Authorization', 'Basic eA==']] });
    const two = {
      ...request,
      headers: [...request.headers, ['Authorization', 'AWS a:b'] as const],
    };
    const [code, status, , members] = told(() => verify(two));
    expect([code, status, members]).toEqual([
      'InvalidArgument',
      400,
      { ArgumentName: 'Authorization', ArgumentValue: 'AWS a:b' },
    ]);
    const both = withQuery((text) => `${text}&Signature=x`);
    expect(told(() => verify(both))[3]).toEqual({ ArgumentName: 'Authorization' });
  });
});

describe('presignV4', () => {
  const bare: RawRequest = {
    method: 'PUT',
    rawPath: '/b/k',
    rawQuery: '',
    headers: [['host', 'h']],
  };

  test.each([1, 604_800])('takes %d seconds', (expiresIn) => {
    const rawQuery = presignV4(bare, example, { region: 'r', now: 0, expiresIn });
    verify({ ...bare, rawQuery }, expiresIn * 1_000);
  });

  test.each([0, -1, 604_801, 1.5, Number.NaN])('refuses %d seconds', (expiresIn) => {
    expect(() => presignV4(bare, example, { region: 'r', now: 0, expiresIn })).toThrow(RangeError);
  });

  test('signs the query, the headers and the session token', () => {
    const base: RawRequest = {
      ...bare,
      rawQuery: 'versionId=a+b&response-content-type=x',
      headers: [
        ['Host', 'h'],
        ['Content-Type', 'text/plain'],
        ['x-amz-acl', 'private'],
      ],
    };
    const session = { ...example, securityToken: 'a+/=' };
    const rawQuery = presignV4(base, session, { region: 'r', now: 0, expiresIn: 60 });
    expect(rawQuery).toContain('&X-Amz-Security-Token=a%2B%2F%3D&');
    expect(rawQuery).toContain('&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl&');
    expect(rawQuery).toContain('&versionId=a%20b&');
    verify({ ...base, rawQuery }, 0);
    expect(parseRequestAuth({ ...base, rawQuery }, 0)?.securityToken).toBe('a+/=');
    const other = base.headers.map(
      ([name, value]) => [name, value.replace('plain', 'html')] as const,
    );
    expect(s3ErrorOf(() => verify({ ...base, rawQuery, headers: other }, 0)).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  test('takes the hash of the payload from the query, as the SDK for JavaScript puts it', () => {
    const rawQuery = presignV4(
      { ...bare, rawQuery: 'X-Amz-Content-Sha256=UNSIGNED-PAYLOAD' },
      example,
      { region: 'r', now: 0, expiresIn: 60 },
    );
    verify({ ...bare, rawQuery }, 0);
  });
});

describe("AWS's examples of version 2", () => {
  const puppy: RawRequest = {
    method: 'GET',
    rawPath: '/photos/puppy.jpg',
    rawQuery:
      'AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620',
    headers: [['Host', 'johnsmith.s3.amazonaws.com']],
    hostBucket: 'johnsmith',
  };

  test('verify until they expire', () => {
    verify(puppy, 1_175_139_620_000);
    expect(told(() => verify(puppy, 1_175_139_620_001))).toEqual([
      'AccessDenied',
      403,
      'Request has expired',
      { Expires: '2007-03-29T03:40:20Z', ServerTime: '2007-03-29T03:40:20Z' },
    ]);
  });

  test('verify with other credentials and the bucket in the path', () => {
    const claim = parseRequestAuth(
      {
        method: 'GET',
        rawPath: '/quotes/nelson',
        rawQuery:
          'AWSAccessKeyId=44CF9590006BF252F707&Expires=1141889120&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D',
        headers: [],
      },
      1_141_889_120_000,
    );
    if (claim === undefined) throw new Error('The URL should carry a signature.');
    verifySignature(claim, 'OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV');
  });

  test('verify with a plus that was not encoded', () => {
    verify({ ...puppy, rawQuery: puppy.rawQuery.replace('%2B', '+') }, 0);
  });

  test('do not with another signature, path, bucket, expiry or subresource', () => {
    const { rawQuery } = puppy;
    const others: RawRequest[] = [
      { ...puppy, rawQuery: rawQuery.replace('Np', 'Mp') },
      { ...puppy, rawQuery: rawQuery.replace('1175139620', '1175139621') },
      { ...puppy, rawQuery: `${rawQuery}&acl` },
      { ...puppy, rawQuery: `${rawQuery}&x-amz-acl=public-read` },
      { ...puppy, rawPath: '/photos/kitten.jpg' },
      { ...puppy, hostBucket: 'ericsmith' },
      { ...puppy, method: 'HEAD' },
      { ...puppy, headers: [['Content-Type', 'text/html']] },
    ];
    for (const other of others) {
      expect(s3ErrorOf(() => verify(other, 0)).code).toBe('SignatureDoesNotMatch');
    }
    verify({ ...puppy, rawQuery: `${rawQuery}&unsigned=x` }, 0);
  });

  test.each([
    [
      'Expires=1&Signature=x',
      'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    ],
    [
      'AWSAccessKeyId=1&Signature=x',
      'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    ],
    [
      'AWSAccessKeyId=1&Signature=x&Expires=1e9',
      'Invalid date (should be seconds since epoch): 1e9',
    ],
  ])('the query %s is denied', (rawQuery, message) => {
    expect(told(() => verify({ ...puppy, rawQuery }))).toEqual(['AccessDenied', 403, message, {}]);
  });

  test('a key id without a signature is no signature', () => {
    expect(parseRequestAuth({ ...puppy, rawQuery: 'AWSAccessKeyId=1' }, 0)).toBeUndefined();
  });
});

test('presignV2 signs the query, headers and the session token', () => {
  const base: RawRequest = {
    method: 'PUT',
    rawPath: '/b/k',
    rawQuery: 'uploadId=a%2Fb&partNumber=1',
    headers: [['Content-Type', 'text/plain']],
  };
  const session = { ...example, securityToken: 'a+/=' };
  const rawQuery = presignV2(base, session, { expiresAt: 60_999 });
  expect(rawQuery).toMatch(/^uploadId=a%2Fb&partNumber=1&x-amz-security-token=a%2B%2F%3D&/);
  verify({ ...base, rawQuery }, 60_000);
  expect(parseRequestAuth({ ...base, rawQuery }, 0)?.securityToken).toBe('a+/=');
  // botocore puts the content type into the URL as well.
  const moved = { ...base, headers: [], rawQuery: `${rawQuery}&content-type=text%2Fplain` };
  verify(moved, 0);
});
