import type { ChecksumAlgorithm } from './expected-checksums.ts';

export const crcAlgorithms = ['crc32', 'crc32c', 'crc64nvme'] as const;

export type CrcAlgorithm = (typeof crcAlgorithms)[number];

export function isCrc(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return crcAlgorithms.some((crc) => crc === algorithm);
}

/** The polynomials over the two elements 0 and 1, modulo the CRC's own. */
interface Field {
  /** Bits of the CRC. */
  readonly width: number;
  /** With its bits reversed and without its highest term, as in checksum.ts. */
  readonly polynomial: bigint;
}

const fields: Readonly<Record<CrcAlgorithm, Field>> = {
  crc32: { width: 32, polynomial: 0xedb88320n },
  crc32c: { width: 32, polynomial: 0x82f63b78n },
  crc64nvme: { width: 64, polynomial: 0x9a6c9329ac4bc9b5n },
};

/** Lengths are safe integers. */
const LENGTH_BITS = 53;

const zeroBytes: Readonly<Record<CrcAlgorithm, readonly bigint[]>> = {
  crc32: powersOfByte(fields.crc32),
  crc32c: powersOfByte(fields.crc32c),
  crc64nvme: powersOfByte(fields.crc64nvme),
};

/**
 * The CRC of two pieces one behind the other, from the CRC of each (base64, as S3 has them) and the
 * length of the right one, as zlib's crc32_combine does it: the left CRC is carried over as many zero
 * bytes as the right piece is long, which is a multiplication by a power of x; then the two add up.
 * The inversions before and after a CRC cancel each other out.
 */
export function combineCrc(
  algorithm: CrcAlgorithm,
  left: string,
  right: string,
  rightBytes: number,
): string {
  const field = fields[algorithm];
  let carried = toBits(left);
  let length = rightBytes;
  for (const power of zeroBytes[algorithm]) {
    if (length === 0) break;
    if (length % 2 === 1) carried = multiply(field, carried, power);
    length = Math.floor(length / 2);
  }
  return toBase64(field, carried ^ toBits(right));
}

/** x to the power of 8, 16, 32, …: what 1, 2, 4, … zero bytes multiply a CRC by. */
function powersOfByte(field: Field): bigint[] {
  // The highest bit is the coefficient of x to the power of 0.
  let power = 1n << BigInt(field.width - 1 - 8);
  return Array.from({ length: LENGTH_BITS }, () => {
    const current = power;
    power = multiply(field, power, power);
    return current;
  });
}

function multiply({ width, polynomial }: Field, left: bigint, right: bigint): bigint {
  let product = 0n;
  // `right` times x to the power that `bit` stands for.
  let term = right;
  for (let bit = 1n << BigInt(width - 1); bit > 0n; bit >>= 1n) {
    if (left & bit) product ^= term;
    term = term & 1n ? (term >> 1n) ^ polynomial : term >> 1n;
  }
  return product;
}

function toBits(base64: string): bigint {
  return BigInt(`0x${Buffer.from(base64, 'base64').toString('hex')}`);
}

function toBase64({ width }: Field, bits: bigint): string {
  return Buffer.from(bits.toString(16).padStart(width / 4, '0'), 'hex').toString('base64');
}
