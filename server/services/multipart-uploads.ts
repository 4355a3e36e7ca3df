import { MAX_PARTS, UPLOAD_LIFE_MS } from '../../shared/limits.ts';
import { multipartEtag } from '../s3/multipart-etag.ts';
import { type ChecksumType, type ObjectChecksum, objectChecksum } from '../s3/part-checksums.ts';
import { noSuchBucket, noSuchUpload, S3Error } from '../s3/s3-error.ts';
import { isUncertain, type KvStore } from '../stores/kv-store.ts';
import { type Buckets, bucketCheck, type StoredBucket } from './buckets.ts';
import { deleteBytes, type NewBytes, type StoredChecksum, toPartNumbers } from './byte-places.ts';
import { type Caller, commitAs } from './caller.ts';
import {
  checkChecksumMode,
  checkPartChecksums,
  checkWholeChecksum,
  chooseParts,
  type WantedPart,
} from './chosen-parts.ts';
import { createKeyLock } from './key-lock.ts';
import { type Listed, type ListQuery, listPage, type Page, type ReadNames } from './list-page.ts';
import type { ObjectBytes } from './object-bytes.ts';
import { BytesChanged, type Objects, type StoredObject, type WriteTarget } from './objects.ts';
import {
  discardParts,
  type Part,
  parsePart,
  partCheck,
  partKey,
  putPart,
  readParts,
} from './part-records.ts';
import {
  allUploads,
  beginOfName,
  deleteUpload,
  endUpload,
  isUploadId,
  type MultipartUpload,
  newUploadId,
  parseUpload,
  putUpload,
  uploadCheck,
  uploadKey,
  uploadName,
} from './upload-records.ts';

/** S3's multipart uploads: parts in any order, put together without being copied. */
export interface MultipartUploads {
  /** Rejects with S3Error NoSuchBucket, or as commitAs does. */
  create(
    target: Pick<WriteTarget, 'bucket' | 'key'>,
    saying: Pick<MultipartUpload, 'attributes' | 'checksum'>,
    by: Caller,
  ): Promise<MultipartUpload>;
  /** Rejects with S3Error NoSuchUpload. */
  find(bucket: StoredBucket, key: string, id: string): Promise<MultipartUpload>;
  /** Makes received bytes a part, in the place of an earlier one of its number. Rejects with NoSuchUpload. */
  putPart(upload: MultipartUpload, number: number, bytes: NewBytes, by: Caller): Promise<Part>;
  /** At most `limit` parts with numbers after `after`. */
  parts(upload: MultipartUpload, after: number, limit: number): Promise<Part[]>;
  /** One page of a bucket's uploads, by key, and by time where there are several for one. */
  page(bucket: string, query: ListQuery): Promise<Page<MultipartUpload>>;
  /**
   * Makes parts an object; again with the same parts: the same success. Rejects as `Objects.put` and
   * chooseParts do, or with S3Error NoSuchUpload.
   */
  complete(
    target: WriteTarget,
    id: string,
    wanted: WantedObject,
    by: Caller,
    checkMayWrite: (bucket: StoredBucket) => void,
  ): Promise<StoredObject>;
  /** Rejects with S3Error NoSuchUpload. */
  abort(upload: MultipartUpload, by: Caller): Promise<void>;
  /** Aborts what nobody completed for a week, and removes parts that are nobody's. */
  sweep(): Promise<void>;
}

/** What the client says that the object is. */
export interface WantedObject {
  readonly parts: readonly WantedPart[];
  readonly checksum?: ObjectChecksum | undefined;
  readonly checksumType?: ChecksumType | undefined;
  readonly size?: number | undefined;
}

/** Of one completion; each lost one means that a part was replaced meanwhile. */
const MAX_ATTEMPTS = 10;

export function createMultipartUploads(options: {
  readonly store: KvStore;
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly objectBytes: ObjectBytes;
  readonly now: () => number;
}): MultipartUploads {
  const { store, buckets, objects, objectBytes, now } = options;
  const withLock = createKeyLock();

  async function find(bucket: StoredBucket, key: string, id: string): Promise<MultipartUpload> {
    const entryKey = uploadKey(bucket.name, uploadName(key, id));
    const entry = isUploadId(id) ? await store.get(entryKey) : undefined;
    const upload = entry && parseUpload(bucket.name, entry);
    if (upload?.bucketId !== bucket.id) throw noSuchUpload(id);
    return upload;
  }

  async function commitPart(
    upload: MultipartUpload,
    number: number,
    { etag, size, checksum, place, mutations }: NewBytes,
    by: Caller,
  ): Promise<Part> {
    if ('uploadId' in place) throw new TypeError('A part is one piece.');
    const record = { etag, size, lastModified: now(), checksum, bytes: place };
    const key = partKey(upload.id, number);
    for (;;) {
      const entry = await store.get(key);
      const previous = entry && parsePart(entry).bytes;
      const outcome = await commitAs(
        store,
        by,
        [uploadCheck(upload), { key, version: entry?.version ?? null }],
        [
          putPart(upload.id, number, record),
          ...mutations,
          ...(previous ? [deleteBytes(previous)] : []),
        ],
      );
      if (typeof outcome === 'number') {
        if (previous) void objectBytes.drop(previous, by.requestId);
        return { ...record, number, version: outcome };
      }
      if (outcome.conflict !== key) throw noSuchUpload(upload.id);
    }
  }

  /** The object that this upload became, if it was made of these parts: the answer may have been lost. */
  async function completed(
    { bucket, key }: WriteTarget,
    id: string,
    { parts }: WantedObject,
  ): Promise<StoredObject | undefined> {
    const object = await objects.find(bucket.name, key);
    if (!object || !('uploadId' in object.bytes) || object.bytes.uploadId !== id) return undefined;
    return object.etag === multipartEtag(parts.map(({ etag }) => etag)) ? object : undefined;
  }

  async function putTogether(upload: MultipartUpload, wanted: WantedObject): Promise<NewBytes> {
    checkChecksumMode(wanted.checksumType, upload.checksum?.type);
    checkPartChecksums(upload.checksum, wanted.parts);
    const received = await readParts(store, upload.id, 0, MAX_PARTS);
    const parts = chooseParts(upload.id, received, wanted.parts);
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    if (wanted.size !== undefined && wanted.size !== size) throw otherSize(wanted.size, size);
    const checksum = checksumOf(upload, parts);
    checkWholeChecksum(wanted.checksum, checksum);
    const numbers = toPartNumbers(parts.map(({ number }) => number));
    const unused =
      parts.length < received.length
        ? [discardParts(upload.id, { kept: numbers, since: now() })]
        : [];
    return {
      etag: multipartEtag(parts.map(({ etag }) => etag)),
      size,
      checksum,
      place: { uploadId: upload.id, numbers },
      checks: [uploadCheck(upload), ...parts.map((part) => partCheck(upload.id, part))],
      mutations: [deleteUpload(upload), ...unused],
    };
  }

  async function abort(upload: MultipartUpload, by: Caller): Promise<void> {
    if (!(await endUpload(store, upload, now(), by))) throw noSuchUpload(upload.id);
    void objectBytes.clearParts(upload.id, by.requestId);
  }

  /** A part may be replaced while it is being put together with others. */
  async function complete(
    target: WriteTarget,
    id: string,
    wanted: WantedObject,
    by: Caller,
    checkMayWrite: (bucket: StoredBucket) => void,
  ): Promise<StoredObject> {
    for (let attempts = 1; ; attempts += 1) {
      const upload = await find(target.bucket, target.key, id);
      const bytes = await putTogether(upload, wanted);
      try {
        const stored = await objects.put(target, bytes, upload.attributes, by, checkMayWrite);
        const isRepeated = !('uploadId' in stored.bytes) || stored.bytes.uploadId !== id;
        if (isRepeated) await abort(upload, by);
        else void objectBytes.clearParts(id, by.requestId);
        return stored;
      } catch (error) {
        if (!(error instanceof BytesChanged) || attempts === MAX_ATTEMPTS) throw error;
      }
    }
  }

  return {
    find,
    abort,

    async create({ bucket, key }, saying, by) {
      let current = bucket;
      for (;;) {
        const upload = {
          bucket: bucket.name,
          key,
          id: newUploadId(now()),
          bucketId: current.id,
          initiated: now(),
          ...saying,
        };
        const outcome = await commitAs(store, by, [bucketCheck(current)], [putUpload(upload)]);
        if (typeof outcome === 'number') return { ...upload, version: outcome };
        const found = await buckets.find(bucket.name);
        if (!found) throw noSuchBucket(bucket.name);
        current = found;
      }
    },

    async putPart(upload, number, bytes, by) {
      try {
        const key = partKey(upload.id, number);
        return await withLock(key, () => commitPart(upload, number, bytes, by));
      } catch (error) {
        // The part may be there after a restart: then its bytes must be, too.
        if (!isUncertain(error)) await objects.discard(bytes);
        throw error;
      }
    },

    parts: (upload, after, limit) => readParts(store, upload.id, after, limit),

    page(bucket, query) {
      const read: ReadNames<MultipartUpload> = async (prefix, after, limit) => {
        const found: Listed<MultipartUpload>[] = [];
        const range = {
          prefix: uploadKey(bucket, beginOfName(prefix)),
          after: after === undefined ? undefined : uploadKey(bucket, after),
          limit,
        };
        for await (const page of store.range(range)) {
          const items = page.map((entry) => parseUpload(bucket, entry));
          found.push(
            ...items.map((item) => ({ name: uploadName(item.key, item.id), key: item.key, item })),
          );
        }
        return found;
      };
      return listPage(query, read, beginOfName);
    },

    async complete(target, id, wanted, by, checkMayWrite) {
      try {
        return await complete(target, id, wanted, by, checkMayWrite);
      } catch (error) {
        const isGone = error instanceof S3Error && error.code === 'NoSuchUpload';
        const object = isGone ? await completed(target, id, wanted) : undefined;
        if (object) return object;
        throw error;
      }
    },

    async sweep() {
      for await (const page of allUploads(store)) {
        for (const upload of page) {
          const bucket = await buckets.find(upload.bucket);
          const isStale = upload.initiated < now() - UPLOAD_LIFE_MS;
          if (isStale || bucket?.id !== upload.bucketId) await endUpload(store, upload, now());
        }
      }
      await objectBytes.clearDiscarded();
    },
  };
}

function checksumOf(
  { checksum }: MultipartUpload,
  parts: readonly Part[],
): StoredChecksum | undefined {
  if (!checksum) return undefined;
  const { algorithm, type } = checksum;
  const ofParts = parts.map((part) => ({ value: part.checksum?.value ?? '', size: part.size }));
  return { algorithm, type, value: objectChecksum(algorithm, type, ofParts) };
}

function otherSize(claimed: number, size: number): S3Error {
  return new S3Error('InvalidRequest', {
    message: `The provided 'x-amz-mp-object-size' header value ${claimed} does not match what was computed: ${size}`,
  });
}
