import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChecksum } from '../../server/s3/checksum.ts';
import { type ChecksumAlgorithm, checksumAlgorithms } from '../../server/s3/expected-checksums.ts';

function checksum(algorithm: ChecksumAlgorithm, ...chunks: Uint8Array[]): string {
  const running = createChecksum(algorithm);
  for (const chunk of chunks) running.update(chunk);
  return running.digest();
}

describe('createChecksum', () => {
  // The check values of the CRC catalogue, for the digits 1 to 9.
  test.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ] as const)('%s of the digits is %s', (algorithm, hex) => {
    expect(
      Buffer.from(checksum(algorithm, Buffer.from('123456789')), 'base64').toString('hex'),
    ).toBe(hex);
  });

  test.each([
    ['crc32', 'AAAAAA=='],
    ['crc32c', 'AAAAAA=='],
    ['crc64nvme', 'AAAAAAAAAAA='],
  ] as const)('%s of nothing is %s', (algorithm, base64) => {
    expect(checksum(algorithm)).toBe(base64);
  });

  test('does not depend on how the bytes arrive', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...checksumAlgorithms),
        fc.uint8Array(),
        fc.nat(),
        (algorithm, bytes, at) => {
          const cut = bytes.length === 0 ? 0 : at % bytes.length;
          const running = createChecksum(algorithm);
          running.update(bytes.subarray(0, cut));
          expect(running.digest()).toBe(checksum(algorithm, bytes.subarray(0, cut)));
          running.update(bytes.subarray(cut));
          expect(running.digest()).toBe(checksum(algorithm, bytes));
        },
      ),
    );
  });

  test('tells bytes apart that differ in one bit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...checksumAlgorithms),
        fc.uint8Array({ minLength: 1 }),
        fc.nat(),
        (algorithm, bytes, at) => {
          const other = Uint8Array.from(bytes);
          const index = at % bytes.length;
          other[index] = (other[index] ?? 0) ^ (1 << (at % 8));
          expect(checksum(algorithm, other)).not.toBe(checksum(algorithm, bytes));
        },
      ),
    );
  });
});
