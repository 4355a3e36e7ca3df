import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import type { ByteRange } from '../s3/byte-range.ts';
import type { ObjectAttributes } from '../s3/object-attributes.ts';
import { noSuchBucket } from '../s3/s3-error.ts';
import { parseSaveKey, type SaveSlot, slotName } from '../s3/save-key.ts';
import { BlobMissing, type BlobStore } from '../stores/blob-store.ts';
import {
  CommitUncertain,
  DamagedEntry,
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
import { ANONYMOUS, type Caller, commitAs } from './caller.ts';
import { createKeyLock } from './key-lock.ts';
import { type ByteDemands, type ReceivedBytes, receiveBytes } from './receive-bytes.ts';
import { nextStep, otherBytes, overtaken } from './save-slots.ts';
import type { Submission } from './session-credentials.ts';

/** Objects: bytes under a bucket and a key, with what was said of them. Who may do what is not asked here. */

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  /** The MD5 of the bytes in hex, without quotes. */
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
  readonly attributes: Omit<ObjectAttributes, 'expected'>;
  readonly checksum: ReceivedBytes['checksum'];
  readonly bytes: BytesPlace;
  /** What session credentials said that it is. */
  readonly submission?: Submission | undefined;
  /** The number of its last write. */
  readonly version: number;
}

/** The name of the bytes, and whether they lie in the KvStore or in the BlobStore. */
interface BytesPlace {
  readonly id: string;
  readonly isInline: boolean;
}

export interface Objects {
  find(bucket: string, key: string): Promise<StoredObject | undefined>;
  /** Undefined where the object was replaced or deleted since it was found. */
  read(object: StoredObject, range?: ByteRange): Promise<Readable | Buffer | undefined>;
  /** Rejects with S3Error AccessDenied where `put` would refuse the key whatever the bytes are. */
  checkKey(bucket: StoredBucket, key: string): Promise<void>;
  /** As receiveBytes. What it resolves with is given to `put` or to `discard`. */
  receive(source: AsyncIterable<Buffer>, demands: ByteDemands): Promise<ReceivedBytes>;
  discard(received: ReceivedBytes): Promise<void>;
  /**
   * Makes received bytes the object, in the place of what was there. `checkMayWrite` is asked again where
   * the bucket was changed since. In a bucket with saves the key has to be the slot's next version, or
   * its latest with the same bytes. Rejects as commitAs does, or with S3Error NoSuchBucket or AccessDenied.
   */
  put(
    target: {
      readonly bucket: StoredBucket;
      readonly key: string;
      /** The latest version is refused whatever its bytes are. */
      readonly isNewVersion?: boolean;
    },
    received: ReceivedBytes,
    attributes: Omit<ObjectAttributes, 'expected'>,
    by: Caller,
    checkMayWrite: (bucket: StoredBucket) => void,
  ): Promise<StoredObject>;
  /** Those whose keys begin with `prefix`, in byte order of the keys, in pages. */
  list(bucket: string, prefix: string): AsyncIterable<StoredObject[]>;
  /** None there: no error. */
  remove(bucket: string, key: string, by: Caller): Promise<void>;
  /** Removes bytes that no object has, which a crash left. To be called before anything is received. */
  sweep(): Promise<number>;
}

type ObjectRecord = Omit<StoredObject, 'bucket' | 'key' | 'version'>;

/** The bytes of an inline object, or the empty value for those of a blob, which it keeps from being swept. */
const BYTES_PREFIX = 'bytes/';
const NO_BYTES = Buffer.alloc(0);
/** A bound for the attempts of one write; each lost one means that another write went through. */
const MAX_ATTEMPTS = 100;

/** An object's entry when it is about to be written. */
interface Present {
  readonly check: KvCheck;
  readonly previous: BytesPlace | undefined;
}

export function createObjects(options: {
  readonly store: KvStore;
  readonly blobs: BlobStore;
  readonly buckets: Buckets;
  readonly log: Logger;
  readonly now: () => number;
}): Objects {
  const { store, blobs, buckets, log, now } = options;
  const withLock = createKeyLock();

  async function find(bucket: string, key: string): Promise<StoredObject | undefined> {
    const entry = await store.get(objectEntryKey(bucket, key));
    return entry && parseObject(bucket, key, entry);
  }

  /** What lies there now; a damaged entry can be replaced and removed, its bytes stay for the sweep. */
  async function present(entryKey: string): Promise<Present> {
    try {
      const entry = await store.get(entryKey);
      const previous = entry && decodeRecord(entry).bytes;
      return { check: { key: entryKey, version: entry?.version ?? null }, previous };
    } catch (error) {
      if (!(error instanceof DamagedEntry)) throw error;
      return { check: { key: entryKey, version: 'damaged' }, previous: undefined };
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

  /** After a commit that made the bytes nobody's. What is left now is swept at the next start. */
  async function dropBlob(place: BytesPlace | undefined): Promise<void> {
    if (!place || place.isInline) return;
    await blobs
      .delete(place.id)
      .catch((error) => log.warn({ err: error }, 'a blob was not removed'));
  }

  async function remove(bucket: string, key: string, by: Caller): Promise<void> {
    await update(objectEntryKey(bucket, key), async ({ check, previous }) => {
      if (check.version === null) return true;
      const entryDelete: KvMutation = { type: 'delete', key: check.key };
      const outcome = await commitAs(store, by, [check], [entryDelete, ...forget(previous)]);
      if (typeof outcome !== 'number') return undefined;
      void dropBlob(previous);
      return true;
    });
  }

  /** A console that lost the answer sends its save again: the same success, if it is the same save. */
  async function repeated(
    bucket: string,
    key: string,
    received: ReceivedBytes,
  ): Promise<StoredObject> {
    const stored = await find(bucket, key);
    if (stored?.etag !== received.md5 || stored.size !== received.size) throw otherBytes();
    await dropBlob(placeOf(received));
    return stored;
  }

  /**
   * Removes the oldest versions of a slot. What a failure leaves goes with the next version. Later ones
   * than `latest` do not count: else two uploads could wait for each other's lock, and what lay in the
   * bucket before it was one of saves could push out what was just stored.
   */
  async function prune(bucket: string, slot: SaveSlot, latest: number, keep: number) {
    const begin = objectEntryKey(bucket, '').length;
    const versions: string[] = [];
    for await (const page of store.keys({ prefix: objectEntryKey(bucket, `${slotName(slot)}-`) })) {
      const keys = page.map((entryKey) => entryKey.slice(begin));
      versions.push(...keys.filter((key) => (parseSaveKey(key)?.version ?? Infinity) <= latest));
    }
    for (const key of versions.slice(0, -keep)) await remove(bucket, key, ANONYMOUS);
  }

  return {
    find,
    remove,

    async *list(bucket, prefix) {
      const begin = objectEntryKey(bucket, '').length;
      for await (const page of store.range({ prefix: objectEntryKey(bucket, prefix) })) {
        yield page.map((entry) => parseObject(bucket, entry.key.slice(begin), entry));
      }
    },

    async read({ bytes, size }, range) {
      if (!bytes.isInline) {
        return blobs.get(bytes.id, range ?? { start: 0, end: size - 1 }).catch((error) => {
          if (error instanceof BlobMissing) return undefined;
          throw error;
        });
      }
      const entry = await store.get(BYTES_PREFIX + bytes.id);
      return range ? entry?.value.subarray(range.start, range.end + 1) : entry?.value;
    },

    async checkKey(bucket, key) {
      if (bucket.saves) await nextStep(store, bucket.id, key, now());
    },

    receive: (source, demands) => receiveBytes(source, demands, blobs),

    async discard({ place }) {
      if ('blob' in place) await blobs.delete(place.blob);
    },

    async put(target, received, attributes, by, checkMayWrite) {
      const bytes = placeOf(received);
      const record = {
        etag: received.md5,
        size: received.size,
        lastModified: now(),
        attributes,
        checksum: received.checksum,
        bytes,
        submission: by.upload?.submission,
      };
      const { key } = target;
      const entryKey = objectEntryKey(target.bucket.name, key);
      const puts: KvMutation[] = [
        { type: 'put', key: entryKey, value: Buffer.from(JSON.stringify(record)) },
        { type: 'put', key: BYTES_PREFIX + bytes.id, value: inlineBytes(received) },
      ];

      let { bucket } = target;
      const written = update(entryKey, async ({ check, previous }) => {
        checkMayWrite(bucket);
        const step = bucket.saves ? await nextStep(store, bucket.id, key, now()) : undefined;
        if (step?.isRepeat && target.isNewVersion) throw overtaken();
        if (step?.isRepeat) return repeated(bucket.name, key, received);
        const version = await commitAs(
          store,
          by,
          [check, bucketCheck(bucket), ...(step ? [step.check] : [])],
          [...puts, ...forget(previous), ...markUsed(bucket), ...(step ? [step.mutation] : [])],
        );
        if (typeof version === 'number') {
          void dropBlob(previous);
          if (step && bucket.keepVersions) {
            await prune(bucket.name, step.slot, step.version, bucket.keepVersions).catch((error) =>
              log.warn({ err: error }, 'old versions were not removed'),
            );
          }
          return { ...record, bucket: bucket.name, key, version };
        }
        const current = await buckets.find(bucket.name);
        if (!current) throw noSuchBucket(bucket.name);
        bucket = current;
        return undefined;
      });
      return written.catch(async (error) => {
        // The entry may be there after a restart: then its bytes must be, too.
        const isUncertain = error instanceof Error && error.cause instanceof CommitUncertain;
        if (!isUncertain) await dropBlob(bytes);
        throw error;
      });
    },

    sweep() {
      return blobs.sweep(async (prefix) => {
        const ids = new Set<string>();
        for await (const page of store.keys({ prefix: BYTES_PREFIX + prefix })) {
          for (const key of page) ids.add(key.slice(BYTES_PREFIX.length));
        }
        return ids;
      });
    },
  };
}

function placeOf({ place }: ReceivedBytes): BytesPlace {
  return 'blob' in place
    ? { id: place.blob, isInline: false }
    : { id: randomBytes(16).toString('hex'), isInline: true };
}

function inlineBytes({ place }: ReceivedBytes): Buffer {
  return 'inline' in place ? place.inline : NO_BYTES;
}

function forget(previous: BytesPlace | undefined): KvMutation[] {
  return previous ? [{ type: 'delete', key: BYTES_PREFIX + previous.id }] : [];
}

function decodeRecord({ value }: KvEntry): ObjectRecord {
  return JSON.parse(value.toString());
}

function parseObject(bucket: string, key: string, entry: KvEntry): StoredObject {
  return { ...decodeRecord(entry), bucket, key, version: entry.version };
}
