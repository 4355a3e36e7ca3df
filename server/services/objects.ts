import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import type { ByteRange } from '../s3/byte-range.ts';
import type { ChecksumAlgorithm } from '../s3/expected-checksums.ts';
import type { ObjectAttributes } from '../s3/object-attributes.ts';
import { noSuchBucket } from '../s3/s3-error.ts';
import { parseSaveKey, type SaveSlot, slotName } from '../s3/save-key.ts';
import type { WriteCondition } from '../s3/write-condition.ts';
import {
  DamagedEntry,
  isUncertain,
  type KvCheck,
  type KvEntry,
  type KvMutation,
  type KvStore,
} from '../stores/kv-store.ts';
import {
  type Buckets,
  bucketCheck,
  markUsed,
  objectEntryKey,
  type StoredBucket,
} from './buckets.ts';
import type { BytesPlace, NewBytes, StoredChecksum } from './byte-places.ts';
import { ANONYMOUS, type Caller, commitAs } from './caller.ts';
import { createKeyLock } from './key-lock.ts';
import { type ListQuery, listPage, type Page } from './list-page.ts';
import type { ObjectBytes, PartPlace } from './object-bytes.ts';
import type { ByteDemands } from './receive-bytes.ts';
import { nextStep, otherBytes, overtaken } from './save-slots.ts';
import type { Submission } from './session-credentials.ts';

/** Objects: bytes under a bucket and a key, with what was said of them. Who may do what is not asked here. */

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  /**
   * The MD5 of the bytes in hex, without quotes; of an object made in parts the MD5 of its parts' MD5s,
   * with `-` and their number behind it.
   */
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
  readonly attributes: Attributes;
  readonly checksum?: StoredChecksum | undefined;
  readonly bytes: BytesPlace;
  /** What session credentials said that it is. */
  readonly submission?: Submission | undefined;
  /** The number of its last write. */
  readonly version: number;
}

export type Attributes = Omit<ObjectAttributes, 'expected'>;

export interface WriteTarget {
  readonly bucket: StoredBucket;
  readonly key: string;
  /** In a bucket with saves, the latest version is refused whatever its bytes are. */
  readonly isNewVersion?: boolean;
  readonly condition?: WriteCondition | undefined;
  /** Of an upload that session credentials did not come with. */
  readonly submission?: Submission | undefined;
}

export interface Objects {
  find(bucket: string, key: string): Promise<StoredObject | undefined>;
  /** Undefined where the object was replaced or deleted since it was found. */
  read(object: StoredObject, range?: ByteRange): Promise<Readable | Buffer | undefined>;
  /**
   * Where a part lies in the object's bytes. Undefined where it has none of the number, `gone` where it was
   * replaced or deleted since it was found.
   */
  part(object: StoredObject, number: number): Promise<PartPlace | 'gone' | undefined>;
  /** Rejects with S3Error AccessDenied where `put` would refuse the key whatever the bytes are. */
  checkKey(bucket: StoredBucket, key: string): Promise<void>;
  /** As receiveBytes. What it resolves with is given to `put` or to `discard`. */
  receive(source: AsyncIterable<Buffer> | Buffer, demands: ByteDemands): Promise<NewBytes>;
  /**
   * Receives the bytes of an object, or some of them, anew: with a checksum of the algorithm (null: with
   * none), or of what the object has. Undefined where the object was replaced or deleted since it was found.
   */
  receiveCopy(
    source: StoredObject,
    options?: {
      readonly range?: ByteRange | undefined;
      readonly algorithm?: ChecksumAlgorithm | null | undefined;
    },
  ): Promise<NewBytes | undefined>;
  discard(bytes: NewBytes): Promise<void>;
  /**
   * Makes new bytes the object, in the place of what was there. `checkMayWrite` is asked again where
   * the bucket was changed since. In a bucket with saves the key has to be the slot's next version, or
   * its latest with the same bytes: then the object that is there is the result. Rejects as commitAs and
   * the condition do, with S3Error NoSuchBucket or AccessDenied, or with BytesChanged. Received bytes
   * are dropped then; those with checks stay whose they are.
   */
  put(
    target: WriteTarget,
    bytes: NewBytes,
    attributes: Attributes,
    by: Caller,
    checkMayWrite: (bucket: StoredBucket) => void,
  ): Promise<StoredObject>;
  /** Says something else of an object, whose bytes stay. Undefined where there is none. */
  restate(
    bucket: string,
    key: string,
    by: Caller,
    edit: (current: StoredObject) => { attributes: Attributes; lastModified?: number },
  ): Promise<StoredObject | undefined>;
  /** Those whose keys begin with `prefix`, in byte order of the keys, in pages. */
  list(bucket: string, prefix: string): AsyncIterable<StoredObject[]>;
  /** One page of a bucket's objects and of the common prefixes of their keys. */
  page(bucket: string, query: ListQuery): Promise<Page<StoredObject>>;
  /** None there: no error, unless the condition has one. */
  remove(bucket: string, key: string, by: Caller, condition?: WriteCondition): Promise<void>;
}

/** What the bytes' own checks relied on has changed: they have to be put together anew. */
export class BytesChanged extends Error {
  override readonly name = 'BytesChanged';
}

type ObjectRecord = Omit<StoredObject, 'bucket' | 'key' | 'version'>;

/** A bound for the attempts of one write; each lost one means that another write went through. */
const MAX_ATTEMPTS = 100;

/** An object's entry when it is about to be written. */
interface Present {
  readonly check: KvCheck;
  /** Undefined for none, and for a damaged one. */
  readonly record: ObjectRecord | undefined;
}

export function createObjects(options: {
  readonly store: KvStore;
  readonly objectBytes: ObjectBytes;
  readonly buckets: Buckets;
  readonly log: Logger;
  readonly now: () => number;
}): Objects {
  const { store, objectBytes, buckets, log, now } = options;
  const withLock = createKeyLock();

  async function find(bucket: string, key: string): Promise<StoredObject | undefined> {
    const entry = await store.get(objectEntryKey(bucket, key));
    return entry && parseObject(bucket, entry);
  }

  async function read(object: StoredObject, range?: ByteRange) {
    return objectBytes.read(object.bytes, range ?? { start: 0, end: object.size - 1 });
  }

  /** What lies there now; a damaged entry can be replaced and removed, its bytes stay for the sweep. */
  async function present(entryKey: string): Promise<Present> {
    try {
      const entry = await store.get(entryKey);
      const check = { key: entryKey, version: entry?.version ?? null };
      return { check, record: entry && decodeRecord(entry) };
    } catch (error) {
      if (!(error instanceof DamagedEntry)) throw error;
      return { check: { key: entryKey, version: 'damaged' }, record: undefined };
    }
  }

  /** Reads and writes until nobody else wrote in between, when `attempt` resolves with a result. */
  function update<T>(
    entryKey: string,
    attempt: (present: Present) => Promise<T | undefined>,
  ): Promise<T> {
    return withLock(entryKey, async () => {
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
        const result = await attempt(await present(entryKey));
        if (result !== undefined) return result;
      }
      throw new KeystowError('unavailable', 'This object is written too often: try again.', {
        headers: { 'Retry-After': '1' },
      });
    });
  }

  async function remove(
    bucket: string,
    key: string,
    by: Caller,
    condition?: WriteCondition,
  ): Promise<void> {
    await update(objectEntryKey(bucket, key), async ({ check, record }) => {
      condition?.(record);
      if (check.version === null) return true;
      const entryDelete: KvMutation = { type: 'delete', key: check.key };
      const outcome = await commitAs(store, by, [check], [entryDelete, ...release(record)]);
      if (typeof outcome !== 'number') return undefined;
      if (record) void objectBytes.drop(record.bytes, by.requestId);
      return true;
    });
  }

  function release(record: ObjectRecord | undefined): KvMutation[] {
    return record ? objectBytes.release(record.bytes) : [];
  }

  async function discard({ place }: NewBytes): Promise<void> {
    if (!('uploadId' in place)) await objectBytes.drop(place);
  }

  /** A console that lost the answer sends its save again: the same success, if it is the same save. */
  async function repeated(bucket: string, key: string, bytes: NewBytes): Promise<StoredObject> {
    const stored = await find(bucket, key);
    if (!stored || stored.size !== bytes.size || !(await isSame(stored, bytes))) throw otherBytes();
    await discard(bytes);
    return stored;
  }

  /** ETags tell it unless one of them is that of parts. */
  async function isSame(stored: StoredObject, { etag, place }: NewBytes): Promise<boolean> {
    if (stored.etag === etag) return true;
    if (!('uploadId' in place) && !('uploadId' in stored.bytes)) return false;
    const range = { start: 0, end: stored.size - 1 };
    const before = await hashOf(await objectBytes.read(stored.bytes, range));
    return before === (await hashOf(await objectBytes.read(place, range)));
  }

  /**
   * Removes the oldest versions of a slot. What a failure leaves goes with the next version. Later ones
   * than `latest` do not count: else two uploads could wait for each other's lock, and what lay in the
   * bucket before it was one of saves could push out what was just stored.
   */
  async function prune(
    bucket: string,
    slot: SaveSlot,
    latest: number,
    keep: number,
    requestId: string | undefined,
  ): Promise<void> {
    const begin = objectEntryKey(bucket, '').length;
    const versions: string[] = [];
    for await (const page of store.keys({ prefix: objectEntryKey(bucket, `${slotName(slot)}-`) })) {
      const keys = page.map((entryKey) => entryKey.slice(begin));
      versions.push(...keys.filter((key) => (parseSaveKey(key)?.version ?? Infinity) <= latest));
    }
    for (const key of versions.slice(0, -keep)) {
      await remove(bucket, key, { ...ANONYMOUS, requestId });
    }
  }

  return {
    find,
    read,
    remove,
    discard,
    part: (object, number) => objectBytes.part(object.bytes, object.size, number),
    receive: (source, demands) => objectBytes.receive(source, demands),

    async receiveCopy(source, { range, algorithm = source.checksum?.algorithm } = {}) {
      const bytes = await read(source, range);
      if (bytes === undefined) return undefined;
      const size = range ? range.end - range.start + 1 : source.size;
      const demands = {
        ranges: [{ min: size, max: size }],
        expected: {},
        algorithm: algorithm ?? undefined,
      };
      return objectBytes.receive(bytes, demands);
    },

    async *list(bucket, prefix) {
      for await (const page of store.range({ prefix: objectEntryKey(bucket, prefix) })) {
        yield page.map((entry) => parseObject(bucket, entry));
      }
    },

    page: (bucket, query) =>
      listPage(query, async (prefix, after, limit) => {
        const found: { name: string; key: string; item: StoredObject }[] = [];
        const range = {
          prefix: objectEntryKey(bucket, prefix),
          after: after === undefined ? undefined : objectEntryKey(bucket, after),
          limit,
        };
        for await (const page of store.range(range)) {
          for (const entry of page) {
            const item = parseObject(bucket, entry);
            found.push({ name: item.key, key: item.key, item });
          }
        }
        return found;
      }),

    async checkKey(bucket, key) {
      if (bucket.saves) await nextStep(store, bucket.id, key, now());
    },

    async put(target, bytes, attributes, by, checkMayWrite) {
      const record: ObjectRecord = {
        etag: bytes.etag,
        size: bytes.size,
        lastModified: now(),
        attributes,
        checksum: bytes.checksum,
        bytes: bytes.place,
        submission: target.submission ?? by.upload?.submission,
      };
      const { key } = target;
      const entryKey = objectEntryKey(target.bucket.name, key);

      let { bucket } = target;
      const written = update(entryKey, async ({ check, record: previous }) => {
        checkMayWrite(bucket);
        // Another completion of the same upload was faster: this one's answer is that one's.
        if (previous && isOfSameUpload(previous.bytes, bytes.place)) throw new BytesChanged();
        const step = bucket.saves ? await nextStep(store, bucket.id, key, now()) : undefined;
        target.condition?.(previous);
        if (step?.isRepeat && target.isNewVersion) throw overtaken();
        if (step?.isRepeat) return repeated(bucket.name, key, bytes);
        const outcome = await commitAs(
          store,
          by,
          [check, bucketCheck(bucket), ...bytes.checks, ...(step ? [step.check] : [])],
          [
            putRecord(entryKey, record),
            ...bytes.mutations,
            ...release(previous),
            ...markUsed(bucket),
            ...(step ? [step.mutation] : []),
          ],
        );
        if (typeof outcome === 'number') {
          if (previous) void objectBytes.drop(previous.bytes, by.requestId);
          if (step && bucket.keepVersions) {
            const { slot, version } = step;
            const pruned = prune(bucket.name, slot, version, bucket.keepVersions, by.requestId);
            await pruned.catch((error) =>
              log.warn({ id: by.requestId, err: error }, 'old versions were not removed'),
            );
          }
          return { ...record, bucket: bucket.name, key, version: outcome };
        }
        if (bytes.checks.some((own) => own.key === outcome.conflict)) throw new BytesChanged();
        const current = await buckets.find(bucket.name);
        if (!current) throw noSuchBucket(bucket.name);
        bucket = current;
        return undefined;
      });
      return written.catch(async (error) => {
        // The entry may be there after a restart: then its bytes must be, too. Bytes with checks of their
        // own are somebody's: of an upload in parts, or of one that another request has made an object.
        if (!isUncertain(error) && bytes.checks.length === 0) await discard(bytes);
        throw error;
      });
    },

    async restate(bucket, key, by, edit) {
      const entryKey = objectEntryKey(bucket, key);
      const stored = await update(entryKey, async ({ check, record }) => {
        if (!record || typeof check.version !== 'number') return 'absent';
        const current = { ...record, bucket, key, version: check.version };
        const changed = { ...record, ...edit(current) };
        const outcome = await commitAs(store, by, [check], [putRecord(entryKey, changed)]);
        return typeof outcome === 'number'
          ? { ...current, ...changed, version: outcome }
          : undefined;
      });
      return stored === 'absent' ? undefined : stored;
    },
  };
}

function isOfSameUpload(one: BytesPlace, other: BytesPlace): boolean {
  return 'uploadId' in one && 'uploadId' in other && one.uploadId === other.uploadId;
}

async function hashOf(bytes: Readable | Buffer | undefined): Promise<string | undefined> {
  if (bytes === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of Buffer.isBuffer(bytes) ? [bytes] : bytes) hash.update(chunk);
  return hash.digest('hex');
}

/** Without quotes. */
export function objectEtag(entry: KvEntry): string {
  return decodeRecord(entry).etag;
}

function putRecord(key: string, record: ObjectRecord): KvMutation {
  return { type: 'put', key, value: Buffer.from(JSON.stringify(record)) };
}

function decodeRecord({ value }: KvEntry): ObjectRecord {
  return JSON.parse(value.toString());
}

function parseObject(bucket: string, entry: KvEntry): StoredObject {
  const key = entry.key.slice(objectEntryKey(bucket, '').length);
  return { ...decodeRecord(entry), bucket, key, version: entry.version };
}
