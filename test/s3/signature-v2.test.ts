import { describe, expect, test } from 'vitest';
import type { RawRequest } from '../../server/s3/raw-request.ts';
import { parseRequestAuth } from '../../server/s3/request-auth.ts';
import { signRequestV2 } from '../../server/s3/sign-request.ts';
import { verifySignature } from '../../server/s3/signature.ts';
import { example, s3ErrorOf, told } from './aws-examples.ts';

interface Example {
  signature: string;
  method: string;
  rawPath: string;
  rawQuery?: string;
  date: string;
  headers?: [name: string, value: string][];
  hostBucket?: string;
}

const puppy = '/photos/puppy.jpg';

// AWS's documentation, "Signing and authenticating REST requests (signature version 2)".
const examples: [string, Example][] = [
  [
    'Object GET',
    {
      signature: 'qgk2+6Sv9/oM7G3qLEjTH1a1l1g=',
      method: 'GET',
      rawPath: puppy,
      date: 'Tue, 27 Mar 2007 19:36:42 +0000',
      hostBucket: 'awsexamplebucket1',
    },
  ],
  [
    'Object PUT',
    {
      signature: 'iqRzw+ileNPu1fhspnRs8nOjjIA=',
      method: 'PUT',
      rawPath: puppy,
      date: 'Tue, 27 Mar 2007 21:15:45 +0000',
      headers: [
        ['Content-Type', 'image/jpeg'],
        ['Content-Length', '94328'],
      ],
      hostBucket: 'awsexamplebucket1',
    },
  ],
  [
    'List',
    {
      signature: 'm0WP8eCtspQl5Ahe6L1SozdX9YA=',
      method: 'GET',
      rawPath: '/',
      rawQuery: 'prefix=photos&max-keys=50&marker=puppy',
      date: 'Tue, 27 Mar 2007 19:42:41 +0000',
      hostBucket: 'awsexamplebucket1',
    },
  ],
  [
    'Fetch',
    {
      signature: '82ZHiFIjc+WbcwFKGUVEQspPn+0=',
      method: 'GET',
      rawPath: '/',
      rawQuery: 'acl',
      date: 'Tue, 27 Mar 2007 19:44:46 +0000',
      hostBucket: 'awsexamplebucket1',
    },
  ],
  [
    'Upload',
    {
      signature: 'jtBQa0Aq+DkULFI8qrpwIjGEx0E=',
      method: 'PUT',
      rawPath: '/db-backup.dat.gz',
      date: 'Tue, 27 Mar 2007 21:06:08 +0000',
      headers: [
        ['x-amz-acl', 'public-read'],
        ['content-type', 'application/x-download'],
        ['Content-MD5', '4gJE4saaMU4BqNR0kLY+lw=='],
        ['X-Amz-Meta-ReviewedBy', 'joe@example.com'],
        ['X-Amz-Meta-ReviewedBy', 'jane@example.com'],
        ['X-Amz-Meta-FileChecksum', '0x02661779'],
        ['X-Amz-Meta-ChecksumAlgorithm', 'crc32'],
        ['Content-Disposition', 'attachment; filename=database.dat'],
      ],
      hostBucket: 'static.example.com',
    },
  ],
  [
    'List all my buckets',
    {
      signature: 'qGdzdERIC03wnaRNKh6OqZehG9s=',
      method: 'GET',
      rawPath: '/',
      date: 'Wed, 28 Mar 2007 01:29:59 +0000',
    },
  ],
  [
    'Unicode keys',
    {
      signature: 'DNEZGsoieTZ92F3bUfSPQcbGmlM=',
      method: 'GET',
      rawPath: '/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re',
      date: 'Wed, 28 Mar 2007 01:49:49 +0000',
    },
  ],
];

function requestOf(of: Example): RawRequest {
  return {
    method: of.method,
    rawPath: of.rawPath,
    rawQuery: of.rawQuery ?? '',
    headers: [
      ['Date', of.date],
      ...(of.headers ?? []),
      ['Authorization', `AWS ${example.accessKeyId}:${of.signature}`],
    ],
    hostBucket: of.hostBucket,
  };
}

function verify(request: RawRequest, now: number): void {
  const claim = parseRequestAuth(request, now);
  if (claim === undefined) throw new Error('The request should carry a signature.');
  verifySignature(claim, example.secretAccessKey);
}

describe.each(examples)("AWS's example: %s", (_, of) => {
  const request = requestOf(of);
  const now = Date.parse(of.date);

  test('verifies', () => verify(request, now));

  test('is what the signer makes of it', () => {
    const unsigned = { ...request, headers: request.headers.slice(0, -1) };
    expect(signRequestV2(unsigned, example)).toBe(`AWS ${example.accessKeyId}:${of.signature}`);
  });

  test('verifies with the bucket in the path', () => {
    const { hostBucket, rawPath } = request;
    if (hostBucket === undefined) return verify(request, now);
    return verify({ ...request, rawPath: `/${hostBucket}${rawPath}`, hostBucket: undefined }, now);
  });

  test('does not once anything that is signed is another', () => {
    const others: RawRequest[] = [
      { ...request, method: 'DELETE' },
      { ...request, rawPath: `${request.rawPath}x` },
      { ...request, hostBucket: 'other' },
      { ...request, rawQuery: 'versioning' },
      { ...request, rawQuery: `${request.rawQuery}&response-expires=x` },
      { ...request, headers: [['x-amz-meta-a', 'b'], ...request.headers] },
      { ...request, headers: [['Content-Type', 'text/html'], ...request.headers] },
      { ...request, headers: [['Content-MD5', 'x'], ...request.headers] },
    ];
    for (const other of others) {
      expect(s3ErrorOf(() => verify(other, now)).code).toBe('SignatureDoesNotMatch');
    }
  });
});

describe('version 2 in the header', () => {
  const now = Date.UTC(2020, 0, 1);
  const dated: RawRequest = {
    method: 'GET',
    rawPath: '/b/k',
    rawQuery: '',
    headers: [['Date', new Date(now).toUTCString()]],
  };

  function signed(request: RawRequest): RawRequest {
    const authorization = signRequestV2(request, example);
    return { ...request, headers: [...request.headers, ['authorization', authorization]] };
  }

  test('a mismatch tells what was signed, without a canonical request', () => {
    const headers = [...dated.headers, ['Authorization', 'AWS AK:bm8='] as const];
    const stringToSign = 'GET\n\n\nWed, 01 Jan 2020 00:00:00 GMT\n/b/k';
    expect(told(() => verify({ ...dated, headers }, now))[3]).toEqual({
      AWSAccessKeyId: 'AK',
      StringToSign: stringToSign,
      SignatureProvided: 'bm8=',
      StringToSignBytes: [...Buffer.from(stringToSign)]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(' '),
    });
  });

  test.each(['AK', 'AK:', 'AK:a:b', ':'])('AWS %s is malformed', (credentials) => {
    const headers = [...dated.headers, ['Authorization', `AWS ${credentials}`] as const];
    expect(told(() => verify({ ...dated, headers }, now))).toEqual([
      'InvalidArgument',
      400,
      'AWS authorization header is invalid.  Expected AwsAccessKeyId:signature',
      { ArgumentName: 'Authorization', ArgumentValue: `AWS ${credentials}` },
    ]);
  });

  test('x-amz-date counts instead of Date', () => {
    const request = signed({
      ...dated,
      headers: [
        ['Date', 'Sat, 01 Jan 2000 00:00:00 GMT'],
        ['x-amz-date', new Date(now).toUTCString()],
      ],
    });
    verify(request, now);
    expect(parseRequestAuth(request, now)?.toSign[0].stringToSign).toBe(
      'GET\n\n\n\nx-amz-date:Wed, 01 Jan 2020 00:00:00 GMT\n/b/k',
    );
  });

  test('the clock may be off by 15 minutes, and there must be one', () => {
    verify(signed(dated), now + 900_000);
    expect(told(() => verify(signed(dated), now + 900_001))[3]).toEqual({
      RequestTime: 'Wed, 01 Jan 2020 00:00:00 GMT',
      ServerTime: '2020-01-01T00:15:00Z',
      MaxAllowedSkewMilliseconds: '900000',
    });
    for (const headers of [[], [['Date', 'x'] as const]]) {
      expect(told(() => verify(signed({ ...dated, headers }), now)).slice(0, 3)).toEqual([
        'AccessDenied',
        403,
        'AWS authentication requires a valid Date or x-amz-date header',
      ]);
    }
  });

  test('subresources are signed sorted, with a value only where S3 has one', () => {
    const request = {
      ...dated,
      rawQuery:
        'uploads=&prefix=x&versionId=a%2Fb&acl=1&response-content-type=a%20b&versionId=c&Acl',
    };
    expect(parseRequestAuth(signed(request), now)?.toSign[0].stringToSign).toMatch(
      /\n\/b\/k\?acl&response-content-type=a b&uploads&versionId=a\/b$/,
    );
  });

  test('botocore signs a bucket with a slash that it does not send', () => {
    const request = signed({ ...dated, rawPath: '/b/' });
    verify(request, now);
    verify({ ...request, rawPath: '/b' }, now);
    expect(s3ErrorOf(() => verify({ ...request, rawPath: '/b/k' }, now)).code).toBe(
      'SignatureDoesNotMatch',
    );
    const keyWithSlash = signed({ ...dated, rawPath: '/b/k/' });
    expect(s3ErrorOf(() => verify({ ...keyWithSlash, rawPath: '/b/k' }, now)).code).toBe(
      'SignatureDoesNotMatch',
    );
    expect(s3ErrorOf(() => verify({ ...signed(dated), rawPath: '/b/k/' }, now)).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  test('tells the session token', () => {
    const headers = [...dated.headers, ['x-amz-security-token', 't'] as const];
    const request = signed({ ...dated, headers });
    verify(request, now);
    expect(parseRequestAuth(request, now)?.securityToken).toBe('t');
  });
});
