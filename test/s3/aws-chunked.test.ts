import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AwsChunkedOptions, createAwsChunked } from '../../server/s3/aws-chunked.ts';
import { S3Error } from '../../server/s3/s3-error.ts';
import {
  awsBody,
  awsExample,
  awsTrailerExample,
  encodeChunks,
  exampleSignatures,
} from './aws-chunked-bodies.ts';

const CRC32 = 'x-amz-checksum-crc32';
const { seed } = awsExample;

interface Decoded {
  readonly data: Buffer;
  readonly trailer: Record<string, string>;
}

/** Gives the body in pieces that end at the cuts. */
async function* pieces(body: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer, void> {
  const ends = [...cuts.filter((cut) => cut < body.length)].sort((a, b) => a - b);
  let at = 0;
  for (const end of [...ends, body.length]) {
    yield body.subarray(at, end);
    at = end;
  }
}

async function decode(
  body: Buffer | string,
  options: Partial<AwsChunkedOptions> & { cuts?: readonly number[] } = {},
): Promise<Decoded> {
  const { cuts = [], decodedLength = 5, trailerNames = [], signatures } = options;
  const chunked = createAwsChunked(pieces(Buffer.from(body), cuts), {
    decodedLength,
    trailerNames,
    signatures,
  });
  const slices: Buffer[] = [];
  for await (const slice of chunked.bytes()) {
    expect(slice.length).toBeGreaterThan(0);
    slices.push(slice);
  }
  return { data: Buffer.concat(slices), trailer: Object.fromEntries(chunked.trailer()) };
}

/** The code of the S3Error that the body is refused with. */
async function refusal(...args: Parameters<typeof decode>): Promise<string> {
  try {
    await decode(...args);
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return 'none';
}

const hello: Decoded = { data: Buffer.from('hello'), trailer: {} };

describe('what is decoded', () => {
  test('AWS’s example in signed chunks', async () => {
    const decoded = await decode(`${awsBody(awsExample)}\r\n`, {
      decodedLength: 66_560,
      signatures: exampleSignatures(awsExample.seed),
    });
    expect(decoded.data.equals(Buffer.alloc(66_560, 'a'))).toBe(true);
    expect(decoded.trailer).toEqual({});
  });

  // The page ends the trailer's line with `\n` before the line end.
  test.each(['\r\n', '\n\r\n'])('AWS’s example with a trailer, line end %j', async (lineEnd) => {
    const { trailer, last } = awsTrailerExample;
    const body = `${awsBody(awsTrailerExample)}${trailer}${lineEnd}x-amz-trailer-signature:${last}\r\n\r\n`;
    const decoded = await decode(body, {
      decodedLength: 66_560,
      signatures: exampleSignatures(awsTrailerExample.seed),
      trailerNames: ['x-amz-checksum-crc32c'],
    });
    expect(decoded.data.equals(Buffer.alloc(66_560, 'a'))).toBe(true);
    expect(decoded.trailer).toEqual({ 'x-amz-checksum-crc32c': 'sOO8/Q==' });
  });

  test.each([
    ['with an empty line at the end', '5\r\nhello\r\n0\r\n\r\n'],
    ['without it, as the SDK for JavaScript without a checksum', '5\r\nhello\r\n0\r\n'],
    ['chunks of less than 8 KiB, as the SDK for JavaScript', '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'],
    ['leading zeros', '00000005\r\nhello\r\n0000\r\n\r\n'],
  ])('unsigned: %s', async (_, body) => {
    expect(await decode(body)).toEqual(hello);
  });

  test.each([
    ['\r\n\r\n', `${CRC32}:NhCmhg==\r\n\r\n`],
    ['nothing behind the last trailer line', `${CRC32}:NhCmhg==\r\n`],
    ['a line feed before the line end', `${CRC32}:NhCmhg==\n\r\n\r\n`],
    ['a line feed before the line end and nothing behind it', `${CRC32}:NhCmhg==\n\r\n`],
    ['spaces, and a name in upper case', `X-Amz-Checksum-CRC32 : NhCmhg== \r\n\r\n`],
  ])('an unsigned trailer: %s', async (_, trailer) => {
    expect(await decode(`5\r\nhello\r\n0\r\n${trailer}`, { trailerNames: [CRC32] })).toEqual({
      ...hello,
      trailer: { [CRC32]: 'NhCmhg==' },
    });
  });

  test('an empty body', async () => {
    const empty = { data: Buffer.alloc(0), trailer: {} };
    expect(await decode('0\r\n\r\n', { decodedLength: 0 })).toEqual(empty);
    expect(
      await decode(encodeChunks([], { seed }), {
        decodedLength: 0,
        signatures: exampleSignatures(seed),
      }),
    ).toEqual(empty);
  });

  test('signatures of an unsigned body are ignored', async () => {
    expect(await decode(encodeChunks([Buffer.from('hello')], { seed }))).toEqual(hello);
  });

  test('any data in any chunks, however it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
        fc.array(fc.nat(3000), { maxLength: 30 }),
        fc.boolean(),
        fc.uniqueArray(fc.constantFrom(CRC32, 'x-amz-checksum-sha256', 'x-amz-meta-a')),
        async (chunks, cuts, isSigned, trailerNames) => {
          const trailer = trailerNames.map((name, at) => [name, `value ${at}`] as const);
          const data = Buffer.concat(chunks);
          const decoded = await decode(
            encodeChunks(chunks, isSigned ? { seed, trailer } : { trailer }),
            {
              cuts,
              trailerNames,
              decodedLength: data.length,
              signatures: isSigned ? exampleSignatures(seed) : undefined,
            },
          );
          expect(decoded).toEqual({ data, trailer: Object.fromEntries(trailer) });
        },
      ),
    );
  });

  test('byte by byte', async () => {
    const body = encodeChunks([Buffer.from('hel'), Buffer.from('lo')], { trailer: [[CRC32, 'x']] });
    const cuts = Array.from(body, (_, at) => at);
    expect(await decode(body, { cuts, trailerNames: [CRC32] })).toEqual({
      ...hello,
      trailer: { [CRC32]: 'x' },
    });
  });
});

describe('how it is read', () => {
  test('data is passed on without a copy, before its chunk is complete', async () => {
    const first = Buffer.from('400\r\nabc');
    async function* endless() {
      yield first;
      throw new Error('Asked for more than was needed.');
    }
    const bytes = createAwsChunked(endless(), { decodedLength: 1024, trailerNames: [] }).bytes();
    const { value } = await bytes.next();
    expect(value?.toString()).toBe('abc');
    expect(value?.buffer).toBe(first.buffer);
    await expect(bytes.next()).rejects.toThrow('Asked for more than was needed.');
  });

  test('the source is told when nobody takes the rest', async () => {
    let isReturned = false;
    async function* source() {
      try {
        yield Buffer.from('5\r\nhello');
      } finally {
        isReturned = true;
      }
    }
    const chunked = createAwsChunked(source(), { decodedLength: 5, trailerNames: [] });
    for await (const _ of chunked.bytes()) break;
    expect(isReturned).toBe(true);
    expect(() => chunked.trailer()).toThrow('not been read');
  });
});

describe('what is refused', () => {
  test.each([
    ['nothing at all', ''],
    ['an end inside a size', '5'],
    ['an end inside the data', '5\r\nhell'],
    ['an end behind the data', '5\r\nhello'],
    ['an end before the last chunk', '5\r\nhello\r\n'],
    ['an end inside the trailer', '5\r\nhello\r\n0\r\nx'],
    ['an end inside the last line end', '5\r\nhello\r\n0\r\n\r'],
    ['too little data', '4\r\nhell\r\n0\r\n\r\n'],
    ['too much data', '6\r\nhello!\r\n0\r\n\r\n'],
    ['too much data in another chunk', '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'],
    ['a size that is too small for its data', '3\r\nhello\r\n0\r\n\r\n'],
    ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['no size', '\r\nhello\r\n0\r\n\r\n'],
    ['a size beyond all numbers', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
    ['a size with too many digits', '00000000000000005\r\nhello\r\n0\r\n\r\n'],
    ['a size that ends in a line feed', '5\nhello\r\n0\r\n\r\n'],
    ['another extension', '5;name=value\r\nhello\r\n0\r\n\r\n'],
    ['a header without an end', '5'.repeat(2000)],
  ])('%s: IncompleteBody', async (_, body) => {
    expect(await refusal(body)).toBe('IncompleteBody');
    const cuts = Array.from(body, (_, at) => at);
    expect(await refusal(body, { cuts })).toBe('IncompleteBody');
  });

  test('a wrong length, with both lengths, before the data is read', async () => {
    const decoding = decode('6\r\n', { decodedLength: 5 });
    await expect(decoding).rejects.toMatchObject({
      status: 400,
      message:
        'You did not provide the number of bytes specified by the Content-Length HTTP header',
      extra: [
        ['NumberBytesExpected', '5'],
        ['NumberBytesProvided', '6'],
      ],
    });
  });

  test.each([
    ['that was not announced', [], `${CRC32}:x\r\n\r\n`],
    ['that does not come', [CRC32], '\r\n'],
    ['of which one does not come', [CRC32, 'x-amz-meta-a'], `${CRC32}:x\r\n\r\n`],
    ['that comes twice', [CRC32], `${CRC32}:x\r\n${CRC32}:x\r\n\r\n`],
    ['with another name', [CRC32], 'x-amz-checksum-crc32c:x\r\n\r\n'],
    ['without a colon', [CRC32], `${CRC32}x\r\n\r\n`],
    ['without a name', [CRC32], ':x\r\n\r\n'],
    ['with a signature though the body has none', [], 'x-amz-trailer-signature:x\r\n\r\n'],
    ['with something behind it', [CRC32], `${CRC32}:x\r\n\r\nx`],
    // https://github.com/aws/aws-sdk-net/pull/4013: S3 refuses it alike.
    ['behind a second last chunk', [CRC32], `\r\n0\r\n${CRC32}:x\r\n\r\n`],
    ['that is too large', [CRC32], `${CRC32}:${'x'.repeat(16_384)}\r\n\r\n`],
    ['of too many lines', [CRC32], 'a:b\n\r\n'.repeat(10_000)],
  ])('a trailer %s: MalformedTrailerError', async (_, trailerNames, trailer) => {
    expect(await refusal(`5\r\nhello\r\n0\r\n${trailer}`, { trailerNames })).toBe(
      'MalformedTrailerError',
    );
  });

  test.each([
    ['no signatures', '5\r\nhello\r\n0\r\n\r\n'],
    ['signatures of zeros', `5;chunk-signature=${'0'.repeat(64)}\r\nhello\r\n0\r\n\r\n`],
    [
      'no signature of the end',
      `${encodeChunks([Buffer.from('hello')], { seed })}`.replace(/0;.*\r\n\r\n$/, '0\r\n\r\n'),
    ],
  ])('a signed body with %s: SignatureDoesNotMatch', async (_, body) => {
    expect(await refusal(body, { signatures: exampleSignatures(seed) })).toBe(
      'SignatureDoesNotMatch',
    );
  });

  test.each([
    ['is not signed', ''],
    ['is signed wrongly', `x-amz-trailer-signature:${'0'.repeat(64)}\r\n`],
  ])('a trailer of a signed body that %s: SignatureDoesNotMatch', async (_, last) => {
    const body = encodeChunks([Buffer.from('hello')], { seed, trailer: [[CRC32, 'NhCmhg==']] })
      .toString()
      .replace(/x-amz-trailer-signature:.*\r\n/, last);
    expect(body).toContain('NhCmhg==');
    expect(
      await refusal(body, { signatures: exampleSignatures(seed), trailerNames: [CRC32] }),
    ).toBe('SignatureDoesNotMatch');
  });

  test('any signed body with one bit changed, unless it says the same', async () => {
    const chunks = [Buffer.from('Hello, '), Buffer.alloc(20, 'world'), Buffer.from('!')];
    const data = Buffer.concat(chunks);
    const body = encodeChunks(chunks, { seed, trailer: [[CRC32, 'NhCmhg==']] });
    const trailerAt = body.indexOf(CRC32);
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const at = bit >> 3;
      const changed = Buffer.from(body);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
      const decoding = decode(changed, {
        decodedLength: data.length,
        signatures: exampleSignatures(seed),
        trailerNames: [CRC32],
      });
      const outcome = await decoding.catch((error: unknown) => error);
      if (outcome instanceof S3Error) continue;
      // Spaces or the case of a trailer's name.
      expect(outcome).toEqual({ data, trailer: { [CRC32]: 'NhCmhg==' } });
      expect(at).toBeGreaterThanOrEqual(trailerAt);
    }
  });
});
