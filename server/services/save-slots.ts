import { S3Error } from '../s3/s3-error.ts';
import { MAX_SAVE_VERSION, parseSaveKey, type SaveSlot, slotName } from '../s3/save-key.ts';
import type { KvCheck, KvEntry, KvMutation, KvStore } from '../stores/kv-store.ts';

/**
 * The rule of buckets with saves: each upload to a slot is its latest version plus one. A slot's
 * record holds the latest, and is written with the version that it counts.
 */

export interface SlotRecord {
  /** The highest version that was ever stored; deleting does not lower it. */
  readonly latest: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

/** What a commit of a version needs besides the object's own part. */
export interface SlotStep {
  readonly slot: SaveSlot;
  readonly version: number;
  /** The version is the latest already: the same bytes again are a success, others are refused. */
  readonly isRepeat: boolean;
  readonly check: KvCheck;
  readonly mutation: KvMutation;
}

const SLOT_PREFIX = 'save-slot/';

/** Where the records of slots lie whose names begin with `begin`. */
export function slotPrefix(bucketId: string, begin: string): string {
  return `${SLOT_PREFIX}${bucketId}/${begin}`;
}

export async function readSlot(
  store: KvStore,
  bucketId: string,
  slot: SaveSlot,
): Promise<{ record: SlotRecord | undefined; check: KvCheck }> {
  const key = slotPrefix(bucketId, slotName(slot));
  const entry = await store.get(key);
  return {
    record: entry && decodeSlot(entry),
    check: { key, version: entry?.version ?? null },
  };
}

export function decodeSlot({ value }: KvEntry): SlotRecord {
  return JSON.parse(value.toString());
}

/** Rejects with S3Error AccessDenied for a key that cannot be the slot's next version. */
export async function nextStep(
  store: KvStore,
  bucketId: string,
  key: string,
  now: number,
): Promise<SlotStep> {
  const parsed = parseSaveKey(key);
  if (!parsed) {
    throw denied('The key of a save is PREFIX/ds/N/data/SLOT-VERSION, with 11 and 5 digits.');
  }
  const { slot, version } = parsed;
  const { record, check } = await readSlot(store, bucketId, slot);
  const isRepeat = version === record?.latest;
  if (record && !isRepeat && version !== record.latest + 1) {
    throw denied(
      record.latest === MAX_SAVE_VERSION
        ? `The slot has its last version, ${MAX_SAVE_VERSION}.`
        : `The latest version is ${record.latest}: the next one is ${record.latest + 1}.`,
    );
  }
  const next: SlotRecord = { latest: version, savedAt: now };
  const value = Buffer.from(JSON.stringify(next));
  return { slot, version, isRepeat, check, mutation: { type: 'put', key: check.key, value } };
}

/** The latest version is sent again, but it is not what was stored. */
export function otherBytes(): S3Error {
  return denied('This version was stored before, with other bytes.');
}

/** Somebody else stored this version meanwhile. */
export function overtaken(): S3Error {
  return denied('This version was stored by somebody else meanwhile.');
}

function denied(message: string): S3Error {
  return new S3Error('AccessDenied', { message });
}
