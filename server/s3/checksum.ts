import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
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
      return crc32Checksum();
    case 'crc32c':
      return crc32cChecksum();
    case 'crc64nvme':
      return crc64Checksum();
    default:
      return hashChecksum(algorithm);
  }
}

/** Of bytes that are all there. */
export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  const checksum = createChecksum(algorithm);
  checksum.update(bytes);
  return checksum.digest();
}

function hashChecksum(algorithm: 'sha1' | 'sha256'): Checksum {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.copy().digest('base64'),
  };
}

function crc32Checksum(): Checksum {
  let crc = 0;
  return {
    update(bytes) {
      crc = crc32(bytes, crc);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes.toString('base64');
    },
  };
}

/*
 * Node has neither of the other two. They are computed with slicing-by-8 (Kounavis and Berry, "Novel
 * Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008): eight bytes at once, with
 * a table for each place in the eight, since the lookups then do not wait for one another.
 */
const SLICES = 8;

// The polynomials are written with their bits reversed, as these CRCs shift to the right.
const CRC32C_TABLES = tableHalves(0x82f63b78n).low;
const CRC64NVME_TABLES = tableHalves(0x9a6c9329ac4bc9b5n);

/**
 * The tables one behind another, the first for a byte with nothing behind it. In halves, since a
 * 64-bit integer is slow in JavaScript.
 */
function tableHalves(polynomial: bigint): { high: Int32Array; low: Int32Array } {
  const entries = Array.from({ length: 256 }, (_, byte) => {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    return crc;
  });
  for (let at = 256; at < 256 * SLICES; at += 1) {
    const before = entries[at - 256] ?? 0n;
    entries.push((before >> 8n) ^ (entries[Number(before & 0xffn)] ?? 0n));
  }
  return {
    high: Int32Array.from(entries, (entry) => Number(BigInt.asIntN(32, entry >> 32n))),
    low: Int32Array.from(entries, (entry) => Number(BigInt.asIntN(32, entry))),
  };
}

/** The entry for the lowest byte of `bits`, in the table for bytes with `behind` bytes behind them. */
function entry(tables: Int32Array, behind: number, bits: number): number {
  return tables[(behind << 8) | (bits & 0xff)] ?? 0;
}

/** What eight bytes come to, read as two words with the first byte lowest. */
function slicesEntry(tables: Int32Array, first: number, second: number): number {
  return (
    entry(tables, 7, first) ^
    entry(tables, 6, first >>> 8) ^
    entry(tables, 5, first >>> 16) ^
    entry(tables, 4, first >>> 24) ^
    entry(tables, 3, second) ^
    entry(tables, 2, second >>> 8) ^
    entry(tables, 1, second >>> 16) ^
    entry(tables, 0, second >>> 24)
  );
}

function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function crc32cChecksum(): Checksum {
  const tables = CRC32C_TABLES;
  let crc = -1;
  return {
    update(bytes) {
      const words = wordsOf(bytes);
      let state = crc;
      let at = 0;
      for (; at + SLICES <= bytes.length; at += SLICES) {
        const first = state ^ words.getInt32(at, true);
        state = slicesEntry(tables, first, words.getInt32(at + 4, true));
      }
      for (; at < bytes.length; at += 1) {
        state = (state >>> 8) ^ entry(tables, 0, state ^ (bytes[at] ?? 0));
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

function crc64Checksum(): Checksum {
  const tables = CRC64NVME_TABLES;
  let crcHigh = -1;
  let crcLow = -1;
  return {
    update(bytes) {
      const words = wordsOf(bytes);
      let high = crcHigh;
      let low = crcLow;
      let at = 0;
      for (; at + SLICES <= bytes.length; at += SLICES) {
        const first = low ^ words.getInt32(at, true);
        const second = high ^ words.getInt32(at + 4, true);
        low = slicesEntry(tables.low, first, second);
        high = slicesEntry(tables.high, first, second);
      }
      for (; at < bytes.length; at += 1) {
        const index = low ^ (bytes[at] ?? 0);
        low = ((low >>> 8) | (high << 24)) ^ entry(tables.low, 0, index);
        high = (high >>> 8) ^ entry(tables.high, 0, index);
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
