import { crc32 } from 'node:zlib';
import { DamagedEntry, type KvChange, type KvEntry } from '../../stores/kv-store.ts';

/**
 * How entries lie in LevelDB: version (8 bytes) and CRC-32 of key, version and value (4 bytes) before
 * the value. LevelDB does not verify its blocks' checksums when it reads, so this does.
 */

const HEADER_BYTES = 12;
const VERSION_BYTES = 8;
/** `p` and `d`. */
const PUT = 0x70;
const DELETE = 0x64;

export const ENTRY_PREFIX = 'e';
export const LOG_PREFIX = 'l';
export const CHECKPOINT_KEY = 'm:checkpoint';

export function encodeEntry(key: string, version: number, value: Buffer): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + value.byteLength);
  writeNumber(record, version);
  value.copy(record, HEADER_BYTES);
  record.writeUInt32BE(checksum(key, record), VERSION_BYTES);
  return record;
}

export function decodeEntry(key: string, record: Buffer): KvEntry {
  const version = decodeVersion(key, record);
  if (version === undefined) throw new DamagedEntry(key);
  return { key, version, value: record.subarray(HEADER_BYTES) };
}

/** Undefined where the checksum does not match. */
export function decodeVersion(key: string, record: Buffer): number | undefined {
  if (record.length < HEADER_BYTES) return undefined;
  if (record.readUInt32BE(VERSION_BYTES) !== checksum(key, record)) return undefined;
  return readNumber(record);
}

function checksum(key: string, record: Buffer): number {
  const version = crc32(record.subarray(0, VERSION_BYTES), crc32(key));
  return crc32(record.subarray(HEADER_BYTES), version);
}

/** A key of the change log; padded, so that byte order is number order. */
export function logKey(sequence: number): string {
  return LOG_PREFIX + String(sequence).padStart(16, '0');
}

export function logKeySequence(key: string): number {
  return Number(key.slice(LOG_PREFIX.length));
}

/** A change: `p`ut or `d`elete, milliseconds since 1970 (8 bytes), the key. */
export function encodeChange(type: 'put' | 'delete', key: string, at: number): Buffer {
  const keyBytes = Buffer.from(key);
  const record = Buffer.allocUnsafe(1 + VERSION_BYTES + keyBytes.length);
  record.writeUInt8(type === 'put' ? PUT : DELETE);
  writeNumber(record.subarray(1), at);
  record.set(keyBytes, 1 + VERSION_BYTES);
  return record;
}

export function decodeChange(sequence: number, record: Buffer): KvChange {
  return {
    sequence,
    type: record.readUInt8(0) === PUT ? 'put' : 'delete',
    key: record.toString('utf8', 1 + VERSION_BYTES),
    at: readNumber(record.subarray(1)),
  };
}

// Two halves: sequence numbers outgrow 32 bits (a restored backup advances them by 2^32).
function writeNumber(target: Buffer, value: number): void {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), 0);
  target.writeUInt32BE(value % 2 ** 32, 4);
}

function readNumber(source: Buffer): number {
  return source.readUInt32BE(0) * 2 ** 32 + source.readUInt32BE(4);
}
