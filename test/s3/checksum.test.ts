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

  // By the definition, one bit at a time: long enough for the tables that take eight bytes at once,
  // and from any place in memory.
  test.each([
    ['crc32', 0xedb88320n, 32],
    ['crc32c', 0x82f63b78n, 32],
    ['crc64nvme', 0x9a6c9329ac4bc9b5n, 64],
  ] as const)('%s is the remainder of a polynomial division', (algorithm, polynomial, width) => {
    const ones = (1n << BigInt(width)) - 1n;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(16), (memory, offset) => {
        const bytes = memory.subarray(offset);
        let crc = ones;
        for (const byte of bytes) {
          crc ^= BigInt(byte);
          for (let bit = 0; bit < 8; bit += 1)
            crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
        }
        const hex = (crc ^ ones).toString(16).padStart(width / 4, '0');
        expect(Buffer.from(checksum(algorithm, bytes), 'base64').toString('hex')).toBe(hex);
      }),
    );
  });

  test('does not depend on how the bytes arrive', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...checksumAlgorithms),
        fc.uint8Array({ maxLength: 60 }),
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
