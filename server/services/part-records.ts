import type { KvCheck, KvEntry, KvMutation, KvStore } from '../stores/kv-store.ts';
import type { PartNumbers, Piece, StoredChecksum } from './byte-places.ts';

/**
 * The parts of multipart uploads. A completed upload's parts are the object's bytes: they stay until
 * the object goes.
 */

export interface Part {
  readonly number: number;
  /** The MD5 of its bytes in hex, without quotes. */
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
  readonly checksum?: StoredChecksum | undefined;
  readonly bytes: Piece;
  readonly version: number;
}

export type PartRecord = Omit<Part, 'number' | 'version'>;

const PART_PREFIX = 'part/';
/** Uploads whose parts have to go: all, or some of them. */
export const DISCARDED_PREFIX = 'discarded-parts/';

export function partKey(uploadId: string, number: number): string {
  return `${PART_PREFIX}${uploadId}/${String(number).padStart(5, '0')}`;
}

export function partCheck(uploadId: string, { number, version }: Part): KvCheck {
  return { key: partKey(uploadId, number), version };
}

export function putPart(uploadId: string, number: number, record: PartRecord): KvMutation {
  return {
    type: 'put',
    key: partKey(uploadId, number),
    value: Buffer.from(JSON.stringify(record)),
  };
}

export function parsePart({ key, value, version }: KvEntry): Part {
  const record: PartRecord = JSON.parse(value.toString());
  return { ...record, number: Number(key.slice(-5)), version };
}

/** At most `limit` parts with numbers after `after`, ascending. */
export async function readParts(
  store: KvStore,
  uploadId: string,
  after: number,
  limit: number,
): Promise<Part[]> {
  const parts: Part[] = [];
  const prefix = `${PART_PREFIX}${uploadId}/`;
  for await (const page of store.range({ prefix, after: partKey(uploadId, after), limit })) {
    parts.push(...page.map(parsePart));
  }
  return parts;
}

/** What of an upload's parts has to go. */
export interface DiscardedParts {
  /** Those that an object keeps. */
  readonly kept: PartNumbers;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** All parts of the upload have to go, but for those that are kept. */
export function discardParts(uploadId: string, discarded: DiscardedParts): KvMutation {
  const value = Buffer.from(JSON.stringify(discarded));
  return { type: 'put', key: DISCARDED_PREFIX + uploadId, value };
}

export function decodeDiscarded({ value }: KvEntry): DiscardedParts {
  return JSON.parse(value.toString());
}
