import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChecksum } from '../../server/s3/checksum.ts';
import { type CrcAlgorithm, combineCrc, crcAlgorithms } from '../../server/s3/combine-crc.ts';

function crc(algorithm: CrcAlgorithm, bytes: Uint8Array): string {
  const checksum = createChecksum(algorithm);
  checksum.update(bytes);
  return checksum.digest();
}

const algorithms = fc.constantFrom(...crcAlgorithms);
const pieces = fc.uint8Array({ maxLength: 300 });
/** A piece of which only the CRC and the length are known. */
const knownPieces = fc.record({
  crc: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  bytes: fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1)),
});

describe('combineCrc', () => {
  test('is the CRC of both pieces together', () => {
    fc.assert(
      fc.property(algorithms, pieces, pieces, (algorithm, left, right) => {
        expect(
          combineCrc(algorithm, crc(algorithm, left), crc(algorithm, right), right.length),
        ).toBe(crc(algorithm, Buffer.concat([left, right])));
      }),
    );
  });

  test.each(crcAlgorithms)('%s of an empty piece changes nothing', (algorithm) => {
    const digits = crc(algorithm, Buffer.from('123456789'));
    const nothing = crc(algorithm, Buffer.alloc(0));
    expect(combineCrc(algorithm, digits, nothing, 0)).toBe(digits);
    expect(combineCrc(algorithm, nothing, digits, 9)).toBe(digits);
  });

  test('does not depend on which pieces come together first, however long they are', () => {
    fc.assert(
      fc.property(
        algorithms,
        knownPieces,
        knownPieces,
        knownPieces,
        (algorithm, first, second, third) => {
          const width = algorithm === 'crc64nvme' ? 8 : 4;
          const [a = '', b = '', c = ''] = [first, second, third].map((piece) =>
            Buffer.from(piece.crc.subarray(0, width)).toString('base64'),
          );
          fc.pre(Number.isSafeInteger(second.bytes + third.bytes));
          const fromLeft = combineCrc(
            algorithm,
            combineCrc(algorithm, a, b, second.bytes),
            c,
            third.bytes,
          );
          const fromRight = combineCrc(
            algorithm,
            a,
            combineCrc(algorithm, b, c, third.bytes),
            second.bytes + third.bytes,
          );
          expect(fromRight).toBe(fromLeft);
        },
      ),
    );
  });

  test.each(crcAlgorithms)('%s of 8 GiB of zeros, doubled and counted one by one', (algorithm) => {
    const zeros = Buffer.alloc(2 ** 20);
    const mebibyte = crc(algorithm, zeros);
    let doubled = mebibyte;
    for (let bytes = zeros.length; bytes < 2 ** 33; bytes *= 2) {
      doubled = combineCrc(algorithm, doubled, doubled, bytes);
    }
    let counted = mebibyte;
    for (let at = 1; at < 2 ** 13; at += 1) {
      counted = combineCrc(algorithm, counted, mebibyte, zeros.length);
    }
    expect(doubled).toBe(counted);
  });
});
