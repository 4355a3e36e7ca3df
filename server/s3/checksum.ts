import { createHash } from 'node:crypto';
import type { ChecksumAlgorithm } from './expected-checksums.ts';

/** A checksum of bytes as they arrive. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  /** The checksum of all bytes so far, in base64 as S3 has it. */
  digest(): string;
}

export function createChecksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case 'crc32':
      return crc32Checksum(CRC32_TABLE);
    case 'crc32c':
      return crc32Checksum(CRC32C_TABLE);
    case 'crc64nvme':
      return crc64Checksum();
    default:
      return hashChecksum(algorithm);
  }
}

function hashChecksum(algorithm: 'sha1' | 'sha256'): Checksum {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.copy().digest('base64'),
  };
}

// The polynomials are written with their bits reversed, as these CRCs shift to the right.
const CRC32_TABLE = crc32Table(0xedb88320);
const CRC32C_TABLE = crc32Table(0x82f63b78);

function crc32Table(polynomial: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
}

function crc32Checksum(table: Int32Array): Checksum {
  let crc = -1;
  return {
    update(bytes) {
      let state = crc;
      for (let at = 0; at < bytes.length; at += 1) {
        state = (state >>> 8) ^ (table[(state ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
      }
      crc = state;
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(~crc);
      return bytes.toString('base64');
    },
  };
}

const CRC64NVME_TABLE = crc64Table(0x9a6c9329ac4bc9b5n);

/** The halves of each entry, since a 64-bit integer is slow in JavaScript. */
function crc64Table(polynomial: bigint): { high: Int32Array; low: Int32Array } {
  const entries = Array.from({ length: 256 }, (_, byte) => {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    return crc;
  });
  return {
    high: Int32Array.from(entries, (entry) => Number(BigInt.asIntN(32, entry >> 32n))),
    low: Int32Array.from(entries, (entry) => Number(BigInt.asIntN(32, entry))),
  };
}

function crc64Checksum(): Checksum {
  const table = CRC64NVME_TABLE;
  let crcHigh = -1;
  let crcLow = -1;
  return {
    update(bytes) {
      let high = crcHigh;
      let low = crcLow;
      for (let at = 0; at < bytes.length; at += 1) {
        const index = (low ^ (bytes[at] ?? 0)) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (table.low[index] ?? 0);
        high = (high >>> 8) ^ (table.high[index] ?? 0);
      }
      crcHigh = high;
      crcLow = low;
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeInt32BE(~crcHigh, 0);
      bytes.writeInt32BE(~crcLow, 4);
      return bytes.toString('base64');
    },
  };
}
