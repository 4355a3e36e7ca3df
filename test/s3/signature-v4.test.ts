import { describe, expect, test } from 'vitest';
import { EMPTY_PAYLOAD_HASH } from '../../server/s3/canonical-request.ts';
import type { RawRequest } from '../../server/s3/raw-request.ts';
import { parseRequestAuth } from '../../server/s3/request-auth.ts';
import { signRequestV4 } from '../../server/s3/sign-request.ts';
import { verifySignature } from '../../server/s3/signature.ts';
import { example, s3ErrorOf, told } from './aws-examples.ts';

/** When AWS's examples were signed. */
const signedAt = Date.UTC(2013, 4, 24);
const credential = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
const putHash = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072';

type Headers = [name: string, value: string][];

interface Example {
  method: string;
  rawPath: string;
  rawQuery: string;
  headers: Headers;
  hash: string;
  signature: string;
}

const examples: [string, Example][] = [
  [
    'GET Object with a range',
    {
      method: 'GET',
      rawPath: '/test.txt',
      rawQuery: '',
      headers: [['Range', 'bytes=0-9']],
      hash: EMPTY_PAYLOAD_HASH,
      signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    },
  ],
  [
    'PUT Object',
    {
      method: 'PUT',
      rawPath: '/test%24file.text',
      rawQuery: '',
      headers: [
        ['Date', 'Fri, 24 May 2013 00:00:00 GMT'],
        ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ],
      hash: putHash,
      signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    },
  ],
  [
    'GET Bucket Lifecycle',
    {
      method: 'GET',
      rawPath: '/',
      rawQuery: 'lifecycle',
      headers: [],
      hash: EMPTY_PAYLOAD_HASH,
      signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    },
  ],
  [
    'List Objects',
    {
      method: 'GET',
      rawPath: '/',
      rawQuery: 'prefix=J&max-keys=2',
      headers: [],
      hash: EMPTY_PAYLOAD_HASH,
      signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    },
  ],
];

function requestOf(of: Example): RawRequest {
  const headers: Headers = [
    ['Host', 'examplebucket.s3.amazonaws.com'],
    ...of.headers,
    ['x-amz-date', '20130524T000000Z'],
    ['x-amz-content-sha256', of.hash],
  ];
  const names = headers.map(([name]) => name.toLowerCase()).sort();
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names.join(';')},Signature=${of.signature}`;
  const { method, rawPath, rawQuery } = of;
  headers.push(['Authorization', authorization]);
  return { method, rawPath, rawQuery, headers, hostBucket: 'examplebucket' };
}

function withHeader(request: RawRequest, name: string, value: string | undefined): RawRequest {
  const others = request.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  return { ...request, headers: value === undefined ? others : [...others, [name, value]] };
}

function verify(request: RawRequest, now = signedAt): void {
  const claim = parseRequestAuth(request, now);
  if (claim === undefined) throw new Error('The request should carry a signature.');
  verifySignature(claim, example.secretAccessKey);
}

describe.each(examples)("AWS's example: %s", (_, of) => {
  const request = requestOf(of);

  test('verifies', () => {
    expect(parseRequestAuth(request, signedAt)).toMatchObject({
      version: 'v4',
      accessKeyId: example.accessKeyId,
      scope: { date: '20130524', region: 'us-east-1', service: 's3' },
      amzDate: '20130524T000000Z',
      payloadHash: of.hash,
    });
    verify(request);
  });

  test('is what the signer makes of it', () => {
    const unsigned = {
      ...request,
      headers: [['Host', 'examplebucket.s3.amazonaws.com'] as const, ...of.headers],
    };
    const added = signRequestV4(unsigned, example, {
      region: 'us-east-1',
      now: signedAt,
      payloadHash: of.hash,
    });
    expect(added.at(-1)?.[1]).toContain(`Signature=${of.signature}`);
    verify({ ...unsigned, headers: [...unsigned.headers, ...added] });
  });

  test('does not verify once anything that is signed is another', () => {
    const others: RawRequest[] = [
      { ...request, method: 'DELETE' },
      { ...request, rawPath: '/test.tx' },
      { ...request, rawPath: `${request.rawPath}/` },
      { ...request, rawQuery: 'acl' },
      withHeader(request, 'host', 'examplebucket.s3.amazonaws.com:80'),
      withHeader(request, 'x-amz-date', '20130524T000001Z'),
      withHeader(request, 'x-amz-content-sha256', 'UNSIGNED-PAYLOAD'),
    ];
    for (const other of others) {
      expect(s3ErrorOf(() => verify(other)).code).toBe('SignatureDoesNotMatch');
    }
  });
});

describe('a path', () => {
  const [, put] = examples[1] ?? [];
  if (put === undefined) throw new Error('The example is missing.');

  test.each(['/test$file.text', '/test%24file.text', '/%74est%24file.text'])(
    'as sent or as encoded canonically: %s',
    (rawPath) => verify({ ...requestOf(put), rawPath }),
  );

  test('is not normalised: dots and slashes count', () => {
    for (const rawPath of ['//test%24file.text', '/./test%24file.text', '/test%2524file.text']) {
      expect(s3ErrorOf(() => verify({ ...requestOf(put), rawPath })).code).toBe(
        'SignatureDoesNotMatch',
      );
    }
  });
});

test('a mismatch tells what was signed', () => {
  const [, of] = examples[0] ?? [];
  if (of === undefined) throw new Error('The example is missing.');
  const signature = of.signature.replace('f', 'e');
  const canonicalRequest = `GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:${EMPTY_PAYLOAD_HASH}\nx-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n${EMPTY_PAYLOAD_HASH}`;
  const stringToSign =
    'AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972';
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  expect(told(() => verify(requestOf({ ...of, signature })))).toEqual([
    'SignatureDoesNotMatch',
    403,
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    {
      AWSAccessKeyId: example.accessKeyId,
      StringToSign: stringToSign,
      SignatureProvided: signature,
      StringToSignBytes: hex(stringToSign),
      CanonicalRequest: canonicalRequest,
      CanonicalRequestBytes: hex(canonicalRequest),
    },
  ]);
});

describe('the clock', () => {
  const [, of] = examples[0] ?? [];
  if (of === undefined) throw new Error('The example is missing.');
  const request = requestOf(of);
  const quarter = 15 * 60_000;

  test('may be off by 15 minutes', () => {
    verify(request, signedAt + quarter);
    verify(request, signedAt - quarter);
    expect(told(() => verify(request, signedAt + quarter + 1_000))).toEqual([
      'RequestTimeTooSkewed',
      403,
      'The difference between the request time and the current time is too large.',
      {
        RequestTime: '20130524T000000Z',
        ServerTime: '2013-05-24T00:15:01Z',
        MaxAllowedSkewMilliseconds: '900000',
      },
    ]);
    expect(s3ErrorOf(() => verify(request, signedAt - quarter - 1)).code).toBe(
      'RequestTimeTooSkewed',
    );
  });

  test('is read from Date when there is no x-amz-date', () => {
    const dated: RawRequest = {
      method: 'GET',
      rawPath: '/b/k',
      rawQuery: '',
      headers: [
        ['host', 'h'],
        ['Date', 'Fri, 24 May 2013 00:00:00 GMT'],
      ],
    };
    const [, ...added] = signRequestV4(dated, example, {
      region: 'r',
      now: signedAt,
      payloadHash: 'UNSIGNED-PAYLOAD',
    });
    // The signer signs x-amz-date too, so without it only the time is right.
    const claim = parseRequestAuth({ ...dated, headers: [...dated.headers, ...added] }, signedAt);
    expect(claim).toMatchObject({ version: 'v4', amzDate: '20130524T000000Z' });
  });

  test.each([undefined, '', 'tomorrow', '2013-05-24T00:00:00Z'])('must be readable: %j', (date) => {
    expect(told(() => verify(withHeader(request, 'x-amz-date', date)))).toEqual([
      'AccessDenied',
      403,
      'AWS authentication requires a valid Date or x-amz-date header',
      {},
    ]);
  });
});

describe('the header', () => {
  const [, of] = examples[3] ?? [];
  if (of === undefined) throw new Error('The example is missing.');
  const request = requestOf(of);
  const authorization = request.headers.at(-1)?.[1] ?? '';

  function refusal(value: string): [string, number, string] {
    const [code, status, message] = told(() => verify(withHeader(request, 'Authorization', value)));
    return [code, status, message];
  }

  test('may have spaces after its commas, any order and case of scheme', () => {
    const [scheme = '', fields = ''] = authorization.split(' ');
    const components = fields.split(',').reverse();
    verify(withHeader(request, 'authorization', `${scheme}  ${components.join(' , ')}`));
    verify(withHeader(request, 'AUTHORIZATION', `${scheme.toLowerCase()} ${fields}`));
  });

  test.each([
    [
      'the authorization header requires three components: Credential, SignedHeaders, and Signature.',
      'Credential=a',
    ],
    [
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
      'Credential=a, SignedHeaders=host, Signature=b',
    ],
    [
      'Invalid credential date. Date is not the same as X-Amz-Date.',
      'Credential=a/20130525/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=b',
    ],
    [
      'incorrect service "sqs". This endpoint belongs to "s3".',
      'Credential=a/20130524/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=b',
    ],
  ])('is malformed: %s', (fault, fields) => {
    expect(refusal(`AWS4-HMAC-SHA256 ${fields}`)).toEqual([
      'AuthorizationHeaderMalformed',
      400,
      `The authorization header is malformed; ${fault}`,
    ]);
  });

  test.each(['AWS4-HMAC-SHA256', 'AWS', 'AWS4-HMAC-SHA256 '])('needs more than %j', (value) => {
    expect(refusal(value)).toEqual([
      'InvalidArgument',
      400,
      "Authorization header is invalid -- one and only one ' ' (space) required",
    ]);
  });

  test('of another scheme is refused', () => {
    expect(told(() => verify(withHeader(request, 'Authorization', 'Bearer x')))).toEqual([
      'InvalidArgument',
      400,
      'Unsupported Authorization Type',
      { ArgumentName: 'Authorization', ArgumentValue: 'Bearer x' },
    ]);
  });

  test('of Basic or none is not a signature', () => {
    expect(
      parseRequestAuth(withHeader(request, 'Authorization', 'Basic eA=='), signedAt),
    ).toBeUndefined();
    expect(parseRequestAuth(withHeader(request, 'Authorization', ''), signedAt)).toBeUndefined();
    expect(parseRequestAuth({ ...request, headers: [] }, signedAt)).toBeUndefined();
  });

  test('needs x-amz-content-sha256, and one that S3 knows', () => {
    expect(told(() => verify(withHeader(request, 'x-amz-content-sha256', undefined)))).toEqual([
      'InvalidRequest',
      400,
      'Missing required header for this request: x-amz-content-sha256',
      {},
    ]);
    const [code, , , members] = told(() =>
      verify(withHeader(request, 'x-amz-content-sha256', 'x')),
    );
    expect([code, members]).toEqual([
      'InvalidArgument',
      { ArgumentName: 'x-amz-content-sha256', ArgumentValue: 'x' },
    ]);
  });

  test.each([
    ['x-amz-acl', 'public-read'],
    ['X-Amz-Meta-A', 'b'],
    ['Content-MD5', 'x'],
    ['x-amz-security-token', 'x'],
  ])('must sign %s when it is sent', (name, value) => {
    expect(told(() => verify(withHeader(request, name, value)))).toEqual([
      'AccessDenied',
      403,
      'There were headers present in the request which were not signed',
      { HeadersNotSigned: name.toLowerCase() },
    ]);
  });

  test('must sign Host', () => {
    const unsigned = authorization.replace('host;', '');
    expect(told(() => verify(withHeader(request, 'Authorization', unsigned)))[3]).toEqual({
      HeadersNotSigned: 'host',
    });
  });

  test('signs repeated headers joined, and runs of spaces as one', () => {
    const headers: Headers = [
      ['Host', 'h'],
      ['X-Amz-Meta-A', '  a   b  '],
      ['x-amz-meta-a', 'c'],
      ['x-amz-meta-b', ''],
      ['x-amz-meta-c', '\u00c3\u00a9'],
    ];
    const base: RawRequest = { method: 'PUT', rawPath: '/b/k', rawQuery: '', headers };
    const added = signRequestV4(base, example, {
      region: 'r',
      now: 0,
      payloadHash: EMPTY_PAYLOAD_HASH,
    });
    const signed = { ...base, headers: [...headers, ...added] };
    verify(signed, 0);
    const merged = withHeader(signed, 'x-amz-meta-a', 'a b,c');
    verify(merged, 0);
    const claim = parseRequestAuth(signed, 0);
    expect(claim?.toSign[0].canonicalRequest).toContain('\nx-amz-meta-a:a b,c\nx-amz-meta-b:\n');
    const shown = told(() => verify(withHeader(signed, 'x-amz-meta-b', 'x'), 0))[3];
    expect(shown['CanonicalRequest']).toContain('x-amz-meta-c:é\n');
  });

  test('tells the session token, an empty one being none', () => {
    const base: RawRequest = {
      method: 'GET',
      rawPath: '/',
      rawQuery: '',
      headers: [['host', 'h']],
    };
    for (const securityToken of ['token', '']) {
      const added = signRequestV4(
        base,
        { ...example, securityToken },
        { region: 'r', now: 0, payloadHash: EMPTY_PAYLOAD_HASH },
      );
      const claim = parseRequestAuth({ ...base, headers: [...base.headers, ...added] }, 0);
      expect(claim?.securityToken).toBe(securityToken || undefined);
    }
  });
});
