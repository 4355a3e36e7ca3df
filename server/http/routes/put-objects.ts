import { parseDirective } from '../../s3/copy-source.ts';
import { parseChecksumAlgorithm } from '../../s3/expected-checksums.ts';
import { fieldValue } from '../../s3/form-fields.ts';
import { copyResultXml } from '../../s3/multipart-xml.ts';
import { parseHeaderAttributes } from '../../s3/object-attributes.ts';
import { checkObjectKey } from '../../s3/object-key.ts';
import { invalidArgument, S3Error } from '../../s3/s3-error.ts';
import { parseWriteCondition } from '../../s3/write-condition.ts';
import type { Buckets, StoredBucket } from '../../services/buckets.ts';
import type { Caller } from '../../services/caller.ts';
import { checkMayWrite } from '../../services/object-access.ts';
import type { Attributes, Objects, StoredObject, WriteTarget } from '../../services/objects.ts';
import type { Context } from '../context.ts';
import { sendEmpty, sendXmlWhenDone } from '../s3-answer.ts';
import type { S3Callers, S3Upload } from '../s3-caller.ts';
import type { S3Headers } from '../s3-headers.ts';
import { findCopySource, receiveBody, receiveCopy, setChecksum } from '../s3-receive.ts';
import { type S3Operations, storedBucket } from '../s3-requests.ts';

export interface PutObjectOptions {
  readonly callers: S3Callers;
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly maxUploadBytes: number;
}

/** PutObject and CopyObject. */
export function putObjectRoutes(options: PutObjectOptions): S3Operations {
  const { callers, objects, maxUploadBytes: maxBytes } = options;

  async function put(ctx: Context, target: WriteTarget, upload: S3Upload): Promise<void> {
    const { caller } = upload;
    const attributes = parseHeaderAttributes(upload.headers);
    const received = await receiveBody(objects, upload, { maxBytes });
    const mayWrite = writeCheck(caller, target.key);
    const stored = await objects.put(target, received, attributes, caller, mayWrite);
    ctx.set('ETag', `"${stored.etag}"`);
    setChecksum(ctx, stored.checksum);
    sendEmpty(ctx, 200);
  }

  async function copy(
    ctx: Context,
    target: WriteTarget,
    { caller, headers }: S3Upload,
  ): Promise<void> {
    const wanted = parseHeaderAttributes(headers);
    const directives = parseDirectives(headers);
    const algorithm = parseChecksumAlgorithm(fieldValue(headers, 'x-amz-checksum-algorithm'));
    const find = (): Promise<StoredObject> => findCopySource(options, caller, headers);
    const first = await find();
    const isSelf = first.bucket === target.bucket.name && first.key === target.key;
    if (isSelf) checkChanges(first, wanted, directives);
    const write = async (): Promise<StoredObject> => {
      const range = (): undefined => undefined;
      const { source, bytes } = await receiveCopy(objects, find, { maxBytes, range, algorithm });
      const attributes = copiedAttributes(source, wanted, directives);
      return objects.put(target, bytes, attributes, caller, writeCheck(caller, target.key));
    };
    await sendXmlWhenDone(ctx, async () => copyResultXml('CopyObjectResult', await write()));
  }

  return {
    PUT: async (ctx, s3Target) => {
      const upload = await callers.ofUpload(ctx, s3Target.hostBucket);
      const { caller, headers } = upload;
      const { key } = s3Target;
      refusePart(ctx);
      checkObjectKey(key);
      const bucket = storedBucket(s3Target);
      writeCheck(caller, key)(bucket);
      refuseVersion(ctx);
      const condition = parseWriteCondition((name) => fieldValue(headers, name), key);
      await objects.checkKey(bucket, key);
      const target = { bucket, key, condition };
      if (headers.has('x-amz-copy-source')) return copy(ctx, target, upload);
      return put(ctx, target, upload);
    },
  };
}

/** A part without its upload must not become the object. */
function refusePart(ctx: Context): void {
  const number = new URLSearchParams(ctx.querystring).get('partNumber');
  if (number === null) return;
  throw invalidArgument(
    'This operation does not accept partNumber without uploadId',
    'partNumber',
    number,
  );
}

/** Throws S3Error AccessDenied where the caller may not write the key. */
export function writeCheck(caller: Caller, key: string): (bucket: StoredBucket) => void {
  return (bucket) => checkMayWrite(caller, { bucket: bucket.name, key }, bucket.acl);
}

interface Directives {
  readonly metadata: 'COPY' | 'REPLACE';
  readonly tagging: 'COPY' | 'REPLACE';
}

function parseDirectives(headers: S3Headers): Directives {
  const directive = (name: string) => parseDirective(name, fieldValue(headers, name));
  return {
    metadata: directive('x-amz-metadata-directive'),
    tagging: directive('x-amz-tagging-directive'),
  };
}

/** Throws S3Error InvalidRequest for a copy of an object to itself that changes nothing. */
function checkChanges(source: StoredObject, wanted: Attributes, directives: Directives): void {
  const isSameClass = wanted.storageClass === source.attributes.storageClass;
  if (directives.metadata === 'REPLACE' || !isSameClass) return;
  throw new S3Error('InvalidRequest', {
    message:
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  });
}

/** The ACL and the storage class are the copy's own, as in S3. */
function copiedAttributes(
  { attributes }: StoredObject,
  wanted: Attributes,
  { metadata, tagging }: Directives,
): Attributes {
  const described = metadata === 'COPY' ? attributes : wanted;
  const tagged = tagging === 'COPY' ? attributes : wanted;
  return {
    ...wanted,
    headers: described.headers,
    metadata: described.metadata,
    tags: tagged.tags,
  };
}

/** Nobody chooses what a version is called. Throws S3Error InvalidArgument. */
function refuseVersion(ctx: Context): void {
  const version = new URLSearchParams(ctx.querystring).get('versionId');
  if (version === null) return;
  throw invalidArgument('This operation does not accept a version-id.', 'versionId', version);
}
