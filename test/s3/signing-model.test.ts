import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalQuery } from '../../server/s3/canonical-request.ts';
import { parseResource } from '../../server/s3/object-key.ts';
import type { RawRequest } from '../../server/s3/raw-request.ts';
import { parseRequestAuth } from '../../server/s3/request-auth.ts';
import {
  encodePath,
  presignV2,
  presignV4,
  signRequestV2,
  signRequestV4,
} from '../../server/s3/sign-request.ts';
import { isSameText, verifySignature } from '../../server/s3/signature.ts';
import { s3ErrorOf } from './aws-examples.ts';

/** RFC 3986's escape of everything but unreserved characters, by way of JavaScript's own. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const text = fc.string({ unit: 'grapheme', maxLength: 6 });
const oddText = fc.oneof(
  text,
  fc.constantFrom('a b', 'a+b', 'a%2Bb', '100%', '~-_.', '=&', 'ü', '日本', '😀', "*()!'"),
);

describe('canonicalQuery', () => {
  test('is that of a plain model, however the client encodes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(oddText, oddText, fc.boolean())), (pairs) => {
        const named = pairs.filter(([name, value]) => name !== '' || value !== '');
        const sent = named.map(([name, value, isForm]) =>
          isForm
            ? `${new URLSearchParams([[name, value]])}`
            : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
        );
        const model = named
          .map(([name, value]): [string, string] => [encode(name), encode(value)])
          .sort(
            ([leftName, left], [rightName, right]) =>
              Buffer.compare(Buffer.from(leftName), Buffer.from(rightName)) ||
              Buffer.compare(Buffer.from(left), Buffer.from(right)),
          )
          .map((pair) => pair.join('='));
        expect(canonicalQuery(sent.join('&'))).toBe(model.join('&'));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['', ''],
    ['&&', ''],
    ['acl', 'acl='],
    ['a=b=c', 'a=b%3Dc'],
    ['a-b=1&a=2', 'a=2&a-b=1'],
    ['a=2&a=10&a=1', 'a=1&a=10&a=2'],
    ['b&B&_', 'B=&_=&b='],
    ['a=%zz%', 'a=%25zz%25'],
    ['a=%e9%FF', 'a=%E9%FF'],
    ['a=\u00c3\u00a9', 'a=%C3%A9'],
    ['X-Amz-Signature=1&x-amz-signature=2', 'x-amz-signature=2'],
  ])('of %j is %j', (rawQuery, canonical) => {
    expect(canonicalQuery(rawQuery)).toBe(canonical);
  });
});

const key = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.constantFrom(
    'a b+c',
    '//a//',
    '~',
    'ü/日本/😀',
    '%41',
    'a%2Fb',
    './../a',
    'test$file.text',
    ' ',
  ),
);
const credentials = { accessKeyId: 'AK', secretAccessKey: 's/e+c=ret' };
const now = Date.UTC(2024, 1, 29, 23, 59, 59, 999);

function verify(request: RawRequest): void {
  const claim = parseRequestAuth(request, now);
  if (claim === undefined) throw new Error('The request should carry a signature.');
  verifySignature(claim, credentials.secretAccessKey);
}

describe('what is signed verifies', () => {
  test('whatever the key and the query, and not for another key', () => {
    fc.assert(
      fc.property(key, oddText, oddText, fc.boolean(), (name, prefix, version, isHost) => {
        const bare: RawRequest = {
          method: 'GET',
          rawPath: isHost ? encodePath(`/${name}`) : encodePath(`/bucket/${name}`),
          rawQuery: `prefix=${encode(prefix)}&versionId=${encode(version)}`,
          headers: [
            ['Host', 'h:6375'],
            ['Date', new Date(now).toUTCString()],
          ],
          hostBucket: isHost ? 'bucket' : undefined,
        };
        expect(parseResource(bare.rawPath, bare.hostBucket)).toEqual({
          bucket: 'bucket',
          key: name,
        });
        const options = { region: 'eu-central-1', now };
        const added = signRequestV4(bare, credentials, {
          ...options,
          payloadHash: 'UNSIGNED-PAYLOAD',
        });
        const inUrl = { ...bare, headers: bare.headers.slice(0, 1) };
        const signed: RawRequest[] = [
          { ...bare, headers: [...bare.headers, ...added] },
          {
            ...bare,
            headers: [...bare.headers, ['Authorization', signRequestV2(bare, credentials)]],
          },
          { ...inUrl, rawQuery: presignV4(inUrl, credentials, { ...options, expiresIn: 60 }) },
          { ...inUrl, rawQuery: presignV2(inUrl, credentials, { expiresAt: now + 60_000 }) },
        ];
        for (const request of signed) {
          verify(request);
          const other = { ...request, rawPath: `${request.rawPath}x` };
          expect(s3ErrorOf(() => verify(other)).code).toBe('SignatureDoesNotMatch');
        }
      }),
      { numRuns: 80 },
    );
  });
});

test('isSameText compares texts of any lengths', () => {
  fc.assert(
    fc.property(text, text, (left, right) => {
      expect(isSameText(left, left)).toBe(true);
      expect(isSameText(left, right)).toBe(left === right);
    }),
  );
});
