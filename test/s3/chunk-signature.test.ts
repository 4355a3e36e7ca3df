import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { awsExample, awsTrailerExample, exampleSignatures } from './aws-chunked-bodies.ts';
import { told } from './aws-examples.ts';

const chunks = [Buffer.alloc(65_536, 'a'), Buffer.alloc(1024, 'a'), Buffer.alloc(0)];

describe('createChunkSignatures', () => {
  test.each([
    ['without a trailer', awsExample],
    ['with a trailer', awsTrailerExample],
  ])('takes AWS’s example %s', (_, given) => {
    const signatures = exampleSignatures(given.seed);
    chunks.forEach((chunk, at) => {
      signatures.update(chunk);
      signatures.endChunk(given.chunks[at] ?? '');
    });
  });

  test('takes the trailer of AWS’s example', () => {
    const signatures = exampleSignatures(awsTrailerExample.chunks[2]);
    signatures.endTrailer(`${awsTrailerExample.trailer}\n`, awsTrailerExample.last);
  });

  test('does not depend on how the data of a chunk arrives', () => {
    const [data = Buffer.alloc(0)] = chunks;
    fc.assert(
      fc.property(fc.nat(data.length), (cut) => {
        const signatures = exampleSignatures(awsExample.seed);
        signatures.update(data.subarray(0, cut));
        signatures.update(data.subarray(cut));
        signatures.endChunk(awsExample.chunks[0]);
      }),
      { numRuns: 10 },
    );
  });

  test('refuses a wrong signature with what should have been signed', () => {
    const signatures = exampleSignatures(awsExample.seed);
    signatures.update(Buffer.alloc(65_536, 'a'));
    expect(told(() => signatures.endChunk(awsExample.chunks[1]))).toEqual([
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      {
        StringToSign: [
          'AWS4-HMAC-SHA256-PAYLOAD',
          '20130524T000000Z',
          '20130524/us-east-1/s3/aws4_request',
          awsExample.seed,
          'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
          'bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a',
        ].join('\n'),
        SignatureProvided: awsExample.chunks[1],
      },
    ]);
  });

  test('refuses chunks that are left out, repeated, or of another request', () => {
    const [first, second, last] = awsExample.chunks;
    const leftOut = exampleSignatures(awsExample.seed);
    expect(told(() => leftOut.endChunk(last))[0]).toBe('SignatureDoesNotMatch');

    const repeated = exampleSignatures(awsExample.seed);
    repeated.update(Buffer.alloc(65_536, 'a'));
    repeated.endChunk(first);
    repeated.update(Buffer.alloc(65_536, 'a'));
    expect(told(() => repeated.endChunk(first))[0]).toBe('SignatureDoesNotMatch');

    const other = exampleSignatures(awsTrailerExample.seed);
    other.update(Buffer.alloc(65_536, 'a'));
    expect(told(() => other.endChunk(first))[0]).toBe('SignatureDoesNotMatch');
    expect(told(() => exampleSignatures(first).endChunk(second))[0]).toBe('SignatureDoesNotMatch');
  });

  test('refuses a trailer that was changed', () => {
    const signatures = exampleSignatures(awsTrailerExample.chunks[2]);
    expect(
      told(() =>
        signatures.endTrailer('x-amz-checksum-crc32c:sOO8/A==\n', awsTrailerExample.last),
      )[0],
    ).toBe('SignatureDoesNotMatch');
  });
});
