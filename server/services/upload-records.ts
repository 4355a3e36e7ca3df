import { randomBytes } from 'node:crypto';
import type { ChecksumAlgorithm } from '../s3/expected-checksums.ts';
import type { ChecksumType } from '../s3/part-checksums.ts';
import type { KvCheck, KvEntry, KvMutation, KvStore } from '../stores/kv-store.ts';
import { ANONYMOUS, type Caller, commitAs } from './caller.ts';
import type { Attributes } from './objects.ts';
import { discardParts } from './part-records.ts';

/** Multipart uploads that are under way: neither completed nor aborted. */

export interface MultipartUpload {
  readonly bucket: string;
  readonly key: string;
  readonly id: string;
  /** Of this bucket and no later one of its name. */
  readonly bucketId: string;
  /** Milliseconds since 1970. */
  readonly initiated: number;
  /** What the object will be said to be. */
  readonly attributes: Attributes;
  /** What is calculated of each part, and of the object from it. */
  readonly checksum?:
    | { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType }
    | undefined;
  readonly version: number;
}

type UploadRecord = Omit<MultipartUpload, 'bucket' | 'key' | 'id' | 'version'>;

const UPLOAD_PREFIX = 'upload/';
const UPLOAD_ID_CHARS = 32;
/**
 * Ends a key, and sorts its uploads before those of longer keys: within a key U+0001 is written with
 * U+0002 behind it.
 */
const END_OF_KEY = '\u0001\u0001';
const ESCAPED = '\u0001\u0002';

/** Begins with the time: a key's uploads are listed as they began. */
export function newUploadId(now: number): string {
  return now.toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
}

export function isUploadId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** A place in the order of a bucket's uploads: by key, then as they began. */
export function uploadName(key: string, id: string): string {
  return beginOfName(key) + END_OF_KEY + id;
}

/** How the names of all uploads begin whose keys begin with this. */
export function beginOfName(keyPrefix: string): string {
  return keyPrefix.replaceAll('\u0001', ESCAPED);
}

export function uploadKey(bucket: string, name: string): string {
  return `${UPLOAD_PREFIX}${bucket}/${name}`;
}

export function uploadCheck({ bucket, key, id, version }: MultipartUpload): KvCheck {
  return { key: uploadKey(bucket, uploadName(key, id)), version };
}

export function putUpload({
  bucket,
  key,
  id,
  ...record
}: Omit<MultipartUpload, 'version'>): KvMutation {
  const value = Buffer.from(JSON.stringify(record satisfies UploadRecord));
  return { type: 'put', key: uploadKey(bucket, uploadName(key, id)), value };
}

export function deleteUpload({ bucket, key, id }: MultipartUpload): KvMutation {
  return { type: 'delete', key: uploadKey(bucket, uploadName(key, id)) };
}

export function parseUpload(bucket: string, entry: KvEntry): MultipartUpload {
  const record: UploadRecord = JSON.parse(entry.value.toString());
  const name = entry.key.slice(uploadKey(bucket, '').length);
  return {
    ...record,
    bucket,
    key: name.slice(0, -UPLOAD_ID_CHARS - END_OF_KEY.length).replaceAll(ESCAPED, '\u0001'),
    id: name.slice(-UPLOAD_ID_CHARS),
    version: entry.version,
  };
}

/** The uploads of all buckets, in pages. */
export async function* allUploads(store: KvStore): AsyncGenerator<MultipartUpload[]> {
  for await (const page of store.range({ prefix: UPLOAD_PREFIX })) {
    yield page.map((entry) => {
      const [, bucket = ''] = entry.key.split('/', 2);
      return parseUpload(bucket, entry);
    });
  }
}

/** Ends an upload; its parts are removed by ObjectBytes. False where it was ended before. */
export async function endUpload(
  store: KvStore,
  upload: MultipartUpload,
  now: number,
  by: Caller = ANONYMOUS,
): Promise<boolean> {
  const mutations = [deleteUpload(upload), discardParts(upload.id, { kept: [], since: now })];
  const outcome = await commitAs(store, by, [uploadCheck(upload)], mutations);
  return typeof outcome === 'number';
}

/** Ends those of a bucket that was removed, and of no later one of its name. */
export async function endUploads(
  store: KvStore,
  bucket: { readonly name: string; readonly id: string },
  now: number,
): Promise<void> {
  for await (const page of store.range({ prefix: uploadKey(bucket.name, '') })) {
    const uploads = page.map((entry) => parseUpload(bucket.name, entry));
    for (const upload of uploads)
      if (upload.bucketId === bucket.id) await endUpload(store, upload, now);
  }
}
