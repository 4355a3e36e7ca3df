import { randomUUID } from 'node:crypto';
import type { ChecksumAlgorithm } from '../s3/expected-checksums.ts';
import type { ChecksumType } from '../s3/part-checksums.ts';
import type { KvCheck, KvEntry, KvMutation } from '../stores/kv-store.ts';

/** Where the bytes of an object lie, and what a commit has to write for them. */

/** One piece: its name, and whether it lies in the KvStore or in the BlobStore. */
export interface Piece {
  readonly id: string;
  readonly isInline: boolean;
}

/** The parts of a multipart upload, which stay where they were received. */
export interface PartsPlace {
  readonly uploadId: string;
  readonly numbers: PartNumbers;
}

export type BytesPlace = Piece | PartsPlace;

/** Numbers of parts as ranges, both ends included: a thousand parts are `[[1, 1000]]`. */
export type PartNumbers = readonly (readonly [first: number, last: number])[];

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; of a COMPOSITE one with `-` and the number of parts behind it. */
  readonly value: string;
  /** FULL_OBJECT unless told. */
  readonly type?: ChecksumType | undefined;
}

/** Bytes that are whole, verified and on disk, but nobody's until a commit makes them an object's. */
export interface NewBytes {
  /** In hex, without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly checksum?: StoredChecksum | undefined;
  readonly place: BytesPlace;
  /** What the commit relies on, and what it writes, besides the object's entry. */
  readonly checks: readonly KvCheck[];
  readonly mutations: readonly KvMutation[];
}

/** Ascending numbers as ranges. */
export function toPartNumbers(ascending: readonly number[]): PartNumbers {
  const ranges: [number, number][] = [];
  for (const number of ascending) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

export function hasPart(numbers: PartNumbers, number: number): boolean {
  return numbers.some(([first, last]) => first <= number && number <= last);
}

export function* eachPart(numbers: PartNumbers): Generator<number, undefined> {
  for (const [first, last] of numbers) {
    for (let number = first; number <= last; number += 1) yield number;
  }
}

export function countParts(numbers: PartNumbers): number {
  return numbers.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** 122 random bits as 32 hexadecimal digits: Node keeps some in stock for UUIDs. */
export function newPieceId(): string {
  return randomUUID().replaceAll('-', '');
}

/** The inline bytes, or the empty value for those of a blob, which it keeps from being swept. */
export const BYTES_PREFIX = 'bytes/';

export function putBytes({ id }: Piece, inline: Buffer): KvMutation {
  return { type: 'put', key: BYTES_PREFIX + id, value: inline };
}

export function deleteBytes({ id }: Piece): KvMutation {
  return { type: 'delete', key: BYTES_PREFIX + id };
}

/** A blob that an entry of the store refers to, which is of an object or of a part. */
export interface BlobReference {
  /** The key of that entry. */
  readonly owner: string;
  readonly id: string;
  readonly size: number;
  /** In hex. */
  readonly md5: string;
}

/** By its key: the others need not be looked at. */
export function mayReferToBlob(key: string): boolean {
  return key.startsWith('object/') || key.startsWith('part/');
}

/** For moving a store; undefined for an entry of another kind, or without a blob of its own. */
export function blobReference({ key, value }: KvEntry): BlobReference | undefined {
  if (!mayReferToBlob(key)) return undefined;
  const record: { bytes: BytesPlace; size: number; etag: string } = JSON.parse(value.toString());
  const { bytes, size, etag } = record;
  return 'uploadId' in bytes || bytes.isInline
    ? undefined
    : { owner: key, id: bytes.id, size, md5: etag };
}
