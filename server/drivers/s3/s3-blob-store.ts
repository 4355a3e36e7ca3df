import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { KeystowError } from '../../../shared/errors.ts';
import { BlobDamaged, BlobMissing, type DirectBlobStore } from '../../stores/blob-store.ts';

export interface S3Location {
  readonly bucket: string;
  /** Undefined for AWS itself. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly forcePathStyle: boolean;
}

export interface S3BlobStoreOptions extends S3Location {
  readonly now: () => number;
}

/** What an operator has to change before the store can be used. */
export class S3StoreError extends Error {
  override readonly name = 'S3StoreError';
}

/** S3's smallest part: what of an upload is in memory, once or twice. */
const PART_BYTES = 5 * 1_048_576;
/** Uploads under way, which bounds the memory that they take to 640 MiB. */
const MAX_UPLOADS = 64;
/** Nobody knows how long an upload of another node takes: what it stored is nobody's until its commit. */
const SWEPT_AFTER_MS = 7 * 86_400_000;
const BLOB_PREFIX = 'blobs/';

/**
 * Blobs as objects `blobs/NAME` of a bucket that may be shared by any number of nodes. S3 shows an object
 * only once it is whole; the commit of an index entry makes it a blob. Credentials come from the AWS SDK's
 * own chain. Rejects with S3StoreError where the bucket cannot be used.
 */
export async function openS3BlobStore(options: S3BlobStoreOptions): Promise<DirectBlobStore> {
  const { bucket, now } = options;
  const client = createS3Client(options);
  await checkBucket(client, options);
  let uploads = 0;

  async function upload(id: string, source: AsyncIterable<Buffer>): Promise<number> {
    let size = 0;
    let failure: { readonly error: unknown } | undefined;
    async function* counted(): AsyncGenerator<Buffer> {
      try {
        for await (const chunk of source) {
          size += chunk.length;
          yield chunk;
        }
      } catch (error) {
        failure = { error };
        throw error;
      }
    }
    const body = Readable.from(counted(), { objectMode: false });
    const params = { Bucket: bucket, Key: BLOB_PREFIX + id, Body: body };
    try {
      await new Upload({ client, params, partSize: PART_BYTES, queueSize: 1 }).done();
      return size;
    } catch (error) {
      if (failure) throw failure.error;
      throw unavailable('Writing to the object store failed: nothing was stored.', error);
    } finally {
      body.destroy();
    }
  }

  async function remove(id: string): Promise<void> {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: BLOB_PREFIX + id }));
  }

  /** Those of a page that nothing refers to and that no upload under way can be. */
  async function sweepObjects(
    referencedIds: (prefix: string) => Promise<ReadonlySet<string>>,
  ): Promise<number> {
    let removed = 0;
    let part = '';
    let referenced: ReadonlySet<string> = new Set();
    const query = { Bucket: bucket, Prefix: BLOB_PREFIX };
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, query)) {
      const gone: { Key: string }[] = [];
      for (const { Key = '', LastModified } of Contents) {
        const id = Key.slice(BLOB_PREFIX.length);
        const isYoung = !LastModified || LastModified.getTime() > now() - SWEPT_AFTER_MS;
        if (isYoung || !isBlobId(id)) continue;
        if (id.slice(0, 2) !== part) {
          part = id.slice(0, 2);
          referenced = await referencedIds(part);
        }
        if (!referenced.has(id)) gone.push({ Key });
      }
      if (gone.length === 0) continue;
      await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: gone } }));
      removed += gone.length;
    }
    return removed;
  }

  async function abortOldUploads(): Promise<number> {
    let aborted = 0;
    let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (;;) {
      const command = new ListMultipartUploadsCommand({
        Bucket: bucket,
        Prefix: BLOB_PREFIX,
        ...marker,
      });
      const page = await client.send(command).catch(offeredOrNot);
      if (!page) return aborted;
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (!Initiated || Initiated.getTime() > now() - SWEPT_AFTER_MS) continue;
        await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
        aborted += 1;
      }
      if (!page.IsTruncated) return aborted;
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  return {
    async put(source, id = randomBytes(16).toString('hex')) {
      if (uploads >= MAX_UPLOADS) {
        throw new KeystowError('unavailable', 'Too many uploads are under way: try again.', {
          headers: { 'Retry-After': '1' },
        });
      }
      uploads += 1;
      try {
        return { id, size: await upload(id, source) };
      } finally {
        uploads -= 1;
      }
    },

    async get(id, { start, end }) {
      const Range = `bytes=${start}-${end}`;
      const command = new GetObjectCommand({ Bucket: bucket, Key: BLOB_PREFIX + id, Range });
      const answer = await client.send(command).catch((error) => {
        throw readError(id, error);
      });
      const { Body: body } = answer;
      if (!(body instanceof Readable)) throw new TypeError('The SDK gave no stream.');
      const sent = sentRange(answer);
      if (end >= sent.size) {
        body.destroy();
        throw new BlobDamaged(id, sent.size);
      }
      // Some servers send more than they were asked for (s3rver, for a single byte).
      if (sent.start === start && sent.end === end) return body;
      return Readable.from(cut(body, start - sent.start, end - start + 1), { objectMode: false });
    },

    async isEmpty() {
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: BLOB_PREFIX });
      const { Contents = [] } = await client.send(command).catch((error) => {
        throw unavailable('The object store does not answer: try again.', error);
      });
      return Contents.length === 0;
    },

    async delete(id) {
      await remove(id).catch((error) => {
        throw unavailable('The object store does not answer.', error);
      });
    },

    async form(id, { fields, range, seconds }) {
      return createPresignedPost(client, {
        Bucket: bucket,
        Key: BLOB_PREFIX + id,
        Fields: { ...fields },
        Conditions: [
          ['content-length-range', range.min, range.max],
          ...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
        ],
        Expires: seconds,
      });
    },

    async stat(id) {
      const command = new HeadObjectCommand({ Bucket: bucket, Key: BLOB_PREFIX + id });
      try {
        const { ContentLength: size = 0, ETag: etag = '' } = await client.send(command);
        return { size, etag: etag.replace(/^"(.*)"$/, '$1') };
      } catch (error) {
        const failure = readError(id, error);
        if (failure instanceof BlobMissing) return undefined;
        throw failure;
      }
    },

    async sweep(referencedIds) {
      return (await sweepObjects(referencedIds)) + (await abortOldUploads());
    },
  };
}

/** Requests at a time: each reader of a large object has one as long as it takes, and keeps nobody waiting. */
const MAX_SOCKETS = 1_024;

/** Without checksums that only newer servers know. */
export function createS3Client({ endpoint, region, forcePathStyle }: S3Location): S3Client {
  // Its advice about versions of Node is for developers: an operator's log has JSON lines.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    region,
    forcePathStyle,
    requestHandler: {
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

async function checkBucket(client: S3Client, { bucket }: S3Location): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    throw new S3StoreError(
      `The bucket ${bucket} of BLOBS cannot be used (${reasonOf(error)}): make it, or mend BLOBS or the credentials.`,
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof S3ServiceException) {
    const status = error.$metadata.httpStatusCode;
    return status === undefined ? error.name : `${error.name}, ${status}`;
  }
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.name : String(error);
}

/** What of the blob an answer holds. */
function sentRange(answer: {
  ContentRange?: string | undefined;
  ContentLength?: number | undefined;
}) {
  const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '') ?? [];
  if (size !== undefined) return { start: Number(start), end: Number(end), size: Number(size) };
  const { ContentLength: length = 0 } = answer;
  return { start: 0, end: length - 1, size: length };
}

async function* cut(body: Readable, skip: number, length: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const part = chunk.subarray(Math.max(0, skip - at), Math.max(0, skip + length - at));
    if (part.length > 0) yield part;
    at += chunk.length;
    if (at >= skip + length) return;
  }
}

/** A small server may lack the list of unfinished uploads: then it has to look after them itself. */
function offeredOrNot(error: unknown): undefined {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status !== 501 && status !== 405) throw error;
}

function readError(id: string, error: unknown): Error {
  if (error instanceof NoSuchKey) return new BlobMissing(id);
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === 404) return new BlobMissing(id);
  if (status === 416) return new BlobDamaged(id, 0);
  return unavailable('The object store does not answer: try again.', error);
}

function unavailable(message: string, cause: unknown): KeystowError {
  return new KeystowError('unavailable', message, { cause, headers: { 'Retry-After': '1' } });
}

function isBlobId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
