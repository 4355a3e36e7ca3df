import type { ByteRange } from '../s3/byte-range.ts';
import { checkSizeSoFar } from '../s3/check-post-policy.ts';
import { checkCopyConditions, parseCopySource } from '../s3/copy-source.ts';
import type { ChecksumAlgorithm } from '../s3/expected-checksums.ts';
import { fieldValue } from '../s3/form-fields.ts';
import { noSuchBucket, S3Error } from '../s3/s3-error.ts';
import type { Buckets } from '../services/buckets.ts';
import type { NewBytes, StoredChecksum } from '../services/byte-places.ts';
import type { Caller } from '../services/caller.ts';
import { checkMayRead } from '../services/object-access.ts';
import type { Objects, StoredObject } from '../services/objects.ts';
import type { S3Upload } from './s3-caller.ts';
import type { S3Exchange } from './s3-exchange.ts';
import type { S3Headers } from './s3-headers.ts';
import { expectedOf } from './s3-payload.ts';

/** Where the bytes of an object or of a part come from: the request's body, or another object. */

/**
 * `algorithm`: the checksum to keep where the client sends none. Rejects as `Objects.receive` does, or with
 * S3Error MissingContentLength: as S3, nobody stores an empty object by leaving something out.
 */
export function receiveBody(
  objects: Objects,
  { headers, payload }: S3Upload,
  options: { readonly maxBytes: number; readonly algorithm?: ChecksumAlgorithm | undefined },
): Promise<NewBytes> {
  const { length, trailer } = payload;
  if (!headers.has('content-length') && !headers.has('transfer-encoding')) {
    throw new S3Error('MissingContentLength');
  }
  const limit = { min: 0, max: options.maxBytes };
  // What the headers alone tell is refused before the client is told to go on.
  if (length !== undefined) checkSizeSoFar([limit], length);
  return objects.receive(payload.bytes(), {
    ranges: [limit],
    expected: expectedOf(headers, payload),
    algorithm: trailer?.algorithm ?? options.algorithm,
    trailer: trailer?.read,
  });
}

/**
 * The object that `x-amz-copy-source` names. Rejects with S3Error NoSuchBucket, NoSuchKey, AccessDenied,
 * or PreconditionFailed.
 */
export async function findCopySource(
  { buckets, objects }: { readonly buckets: Buckets; readonly objects: Objects },
  caller: Caller,
  headers: S3Headers,
): Promise<StoredObject> {
  const { bucket: name, key } = parseCopySource(fieldValue(headers, 'x-amz-copy-source') ?? '');
  const bucket = await buckets.find(name);
  if (!bucket) throw noSuchBucket(name);
  const found = await objects.find(name, key);
  const source = checkMayRead(caller, { bucket: name, key }, bucket.acl, found);
  checkCopyConditions((header) => fieldValue(headers, header), source);
  return source;
}

/** The bytes of what `find` finds; it is looked for again where it is replaced meanwhile. */
export async function receiveCopy(
  objects: Objects,
  find: () => Promise<StoredObject>,
  options: {
    readonly maxBytes: number;
    readonly range: (size: number) => ByteRange | undefined;
    readonly algorithm: ChecksumAlgorithm | null | undefined;
  },
): Promise<{ readonly source: StoredObject; readonly bytes: NewBytes }> {
  let missing = -1;
  for (;;) {
    const source = await find();
    if (source.version === missing) throw new Error(`The bytes of ${source.key} are missing.`);
    const range = options.range(source.size);
    const size = range ? range.end - range.start + 1 : source.size;
    checkSizeSoFar([{ min: 0, max: options.maxBytes }], size);
    const bytes = await objects.receiveCopy(source, { range, algorithm: options.algorithm });
    if (bytes) return { source, bytes };
    missing = source.version;
  }
}

/** What was calculated of the stored bytes. */
export function setChecksum(ctx: S3Exchange, checksum: StoredChecksum | undefined): void {
  if (!checksum) return;
  ctx.set(`x-amz-checksum-${checksum.algorithm}`, checksum.value);
  ctx.set('x-amz-checksum-type', checksum.type ?? 'FULL_OBJECT');
}
