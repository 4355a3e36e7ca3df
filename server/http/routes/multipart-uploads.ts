import { MAX_LIST_XML_BYTES } from '../../../shared/limits.ts';
import { parseCopyRange, parseCopySource } from '../../s3/copy-source.ts';
import {
  type ChecksumAlgorithm,
  parseChecksumAlgorithm,
  refuseOtherChecksums,
} from '../../s3/expected-checksums.ts';
import { fieldValue } from '../../s3/form-fields.ts';
import { parseLimit, parsePartMarker } from '../../s3/list-parameters.ts';
import {
  completedUploadXml,
  copyResultXml,
  createdUploadXml,
  listPartsXml,
  parseCompleteUpload,
  parsePartNumber,
} from '../../s3/multipart-xml.ts';
import { parseHeaderAttributes } from '../../s3/object-attributes.ts';
import { checkObjectKey } from '../../s3/object-key.ts';
import { OWNER } from '../../s3/owner.ts';
import {
  checkChecksumType,
  parseChecksumType,
  parseObjectChecksum,
} from '../../s3/part-checksums.ts';
import { S3Error } from '../../s3/s3-error.ts';
import { objectLocation } from '../../s3/success-action.ts';
import { parseWriteCondition } from '../../s3/write-condition.ts';
import type { Buckets, StoredBucket } from '../../services/buckets.ts';
import type { Caller } from '../../services/caller.ts';
import { otherAlgorithm } from '../../services/chosen-parts.ts';
import type { MultipartUploads } from '../../services/multipart-uploads.ts';
import type { Objects } from '../../services/objects.ts';
import type { Part } from '../../services/part-records.ts';
import type { MultipartUpload } from '../../services/upload-records.ts';
import { bucketUrl } from '../base-url.ts';
import type { Context } from '../context.ts';
import { sendEmpty, sendXml, sendXmlWhenDone } from '../s3-answer.ts';
import type { S3Callers, S3Upload } from '../s3-caller.ts';
import type { S3Headers } from '../s3-headers.ts';
import { expectedMd5, expectedOf, readXmlPayload } from '../s3-payload.ts';
import { findCopySource, receiveBody, receiveCopy, setChecksum } from '../s3-receive.ts';
import { type S3Operations, type S3Target, storedBucket } from '../s3-requests.ts';
import { writeCheck } from './put-objects.ts';

export interface MultipartRouteOptions {
  readonly callers: S3Callers;
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly uploads: MultipartUploads;
  readonly maxUploadBytes: number;
  readonly publicUrl: string | undefined;
}

/** S3's multipart uploads of one object; the list of a bucket's uploads is in s3-lists.ts. */
export function multipartUploadRoutes(options: MultipartRouteOptions): S3Operations {
  const { callers, objects, uploads, maxUploadBytes: maxBytes } = options;

  function mayWrite(caller: Caller, target: S3Target): StoredBucket {
    checkObjectKey(target.key);
    const bucket = storedBucket(target);
    writeCheck(caller, target.key)(bucket);
    return bucket;
  }

  async function findUpload(ctx: Context, caller: Caller, target: S3Target) {
    const bucket = mayWrite(caller, target);
    return uploads.find(bucket, target.key, uploadIdOf(ctx));
  }

  async function putPart(
    ctx: Context,
    upload: MultipartUpload,
    number: number,
    sent: S3Upload,
  ): Promise<void> {
    const algorithm = upload.checksum?.algorithm;
    checkPartAlgorithm(algorithm, sent);
    const received = await receiveBody(objects, sent, { maxBytes, algorithm });
    const part = await uploads.putPart(upload, number, received, sent.caller);
    ctx.set('ETag', `"${part.etag}"`);
    setChecksum(ctx, part.checksum);
    ctx.remove('x-amz-checksum-type');
    sendEmpty(ctx, 200);
  }

  async function copyPart(
    ctx: Context,
    upload: MultipartUpload,
    number: number,
    { caller, headers }: S3Upload,
  ): Promise<void> {
    const wanted = fieldValue(headers, 'x-amz-copy-source-range');
    const range = (size: number) => parseCopyRange(wanted, size);
    const algorithm = upload.checksum?.algorithm ?? null;
    const find = () => findCopySource(options, caller, headers);
    const first = await find();
    range(first.size);
    const write = async (): Promise<Part> => {
      const { bytes } = await receiveCopy(objects, find, { maxBytes, range, algorithm });
      return uploads.putPart(upload, number, bytes, caller);
    };
    await sendXmlWhenDone(ctx, async () => copyResultXml('CopyPartResult', await write()));
  }

  return {
    'POST ?uploads': async (ctx, target) => {
      const { caller, headers } = await callers.ofUpload(ctx, target.hostBucket);
      const bucket = mayWrite(caller, target);
      const attributes = parseHeaderAttributes(headers);
      const checksum = parseUploadChecksum(headers);
      await objects.checkKey(bucket, target.key);
      const upload = await uploads.create(
        { bucket, key: target.key },
        { attributes, checksum },
        caller,
      );
      if (checksum) {
        ctx.set('x-amz-checksum-algorithm', checksum.algorithm.toUpperCase());
        ctx.set('x-amz-checksum-type', checksum.type);
      }
      sendXml(ctx, 200, createdUploadXml(upload));
    },

    'PUT ?uploadId': async (ctx, target) => {
      const sent = await callers.ofUpload(ctx, target.hostBucket);
      const number = parsePartNumber(parametersOf(ctx).get('partNumber') ?? '');
      mayWrite(sent.caller, target);
      const source = fieldValue(sent.headers, 'x-amz-copy-source');
      if (source !== undefined) parseCopySource(source);
      const upload = await findUpload(ctx, sent.caller, target);
      if (source !== undefined) return copyPart(ctx, upload, number, sent);
      return putPart(ctx, upload, number, sent);
    },

    'GET ?uploadId': async (ctx, target) => {
      const caller = await callers.ofRequest(ctx, target.hostBucket);
      const upload = await findUpload(ctx, caller, target);
      const query = parametersOf(ctx);
      const limit = parseLimit(query, 'max-parts');
      const marker = parsePartMarker(query);
      const found = await uploads.parts(upload, marker, limit + 1);
      const xml = listPartsXml({
        upload: { ...upload, storageClass: upload.attributes.storageClass },
        owner: OWNER,
        marker,
        limit,
        isTruncated: limit > 0 && found.length > limit,
        parts: found.slice(0, limit),
      });
      sendXml(ctx, 200, xml);
    },

    'POST ?uploadId': async (ctx, target) => {
      const { caller, headers, payload } = await callers.ofUpload(ctx, target.hostBucket);
      const bucket = mayWrite(caller, target);
      const { key } = target;
      const get = (name: string): string | undefined => fieldValue(headers, name);
      const condition = parseWriteCondition(get, key);
      refuseOtherChecksums(headers);
      // Checksums in the headers are the object's, not the body's.
      const body = await readXmlPayload(payload, expectedMd5(headers), MAX_LIST_XML_BYTES);
      const wanted = {
        parts: parseCompleteUpload(body),
        checksum: parseObjectChecksum(get),
        checksumType: parseChecksumType(get('x-amz-checksum-type')),
        size: parseObjectSize(get('x-amz-mp-object-size')),
      };
      const stored = await uploads.complete(
        { bucket, key, condition },
        uploadIdOf(ctx),
        wanted,
        caller,
        writeCheck(caller, key),
      );
      const location = objectLocation(
        bucketUrl(ctx, target.hostBucket, bucket.name, options.publicUrl),
        key,
      );
      sendXml(ctx, 200, completedUploadXml({ ...stored, location }));
    },

    'DELETE ?uploadId': async (ctx, target) => {
      const caller = await callers.ofRequest(ctx, target.hostBucket);
      await uploads.abort(await findUpload(ctx, caller, target), caller);
      ctx.status = 204;
    },
  };
}

function parametersOf(ctx: Context): URLSearchParams {
  return new URLSearchParams(ctx.querystring);
}

function uploadIdOf(ctx: Context): string {
  return parametersOf(ctx).get('uploadId') ?? '';
}

/** Of each part, and so of the object. Throws S3Error InvalidRequest. */
function parseUploadChecksum(headers: S3Headers): MultipartUpload['checksum'] {
  const algorithm = parseChecksumAlgorithm(fieldValue(headers, 'x-amz-checksum-algorithm'));
  const type = parseChecksumType(fieldValue(headers, 'x-amz-checksum-type'));
  if (algorithm) return { algorithm, type: checkChecksumType(algorithm, type) };
  if (type === undefined) return undefined;
  throw new S3Error('InvalidRequest', {
    message:
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
  });
}

/** Throws S3Error InvalidRequest for a part with another checksum than those of its upload. */
function checkPartAlgorithm(
  algorithm: ChecksumAlgorithm | undefined,
  { headers, payload }: S3Upload,
): void {
  const sent = payload.trailer?.algorithm ?? expectedOf(headers, payload).checksum?.algorithm;
  if (algorithm !== undefined && sent !== undefined && sent !== algorithm) {
    throw otherAlgorithm(algorithm, sent);
  }
}

function parseObjectSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new S3Error('InvalidRequest', {
    message: /^-\d+$/.test(text)
      ? `Value for x-amz-mp-object-size header is less than zero: '${text}'`
      : 'Value for x-amz-mp-object-size header is invalid.',
  });
}
