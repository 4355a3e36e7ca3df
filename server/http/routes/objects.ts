import { Readable } from 'node:stream';
import { type ByteRange, parseByteRange } from '../../s3/byte-range.ts';
import { isNotModified, isRangeApplicable } from '../../s3/conditional-request.ts';
import { isHeaderText, metadataHeaderValue, storedHeaderValue } from '../../s3/header-text.ts';
import { parsePartNumber } from '../../s3/multipart-xml.ts';
import { checkObjectKey } from '../../s3/object-key.ts';
import { S3Error } from '../../s3/s3-error.ts';
import { checkVersionId } from '../../s3/version-id.ts';
import { parseWriteCondition } from '../../s3/write-condition.ts';
import { countParts } from '../../services/byte-places.ts';
import { checkMayRead, checkMayWrite } from '../../services/object-access.ts';
import type { Objects, StoredObject } from '../../services/objects.ts';
import type { Context } from '../context.ts';
import type { S3Callers } from '../s3-caller.ts';
import { setChecksum } from '../s3-receive.ts';
import { type S3Handler, type S3Target, storedBucket } from '../s3-requests.ts';

/** S3's, for an object that none was given for. */
const DEFAULT_TYPE = 'binary/octet-stream';
/**
 * An object is shown on the origin that the console and the JSON routes have: no script of it may
 * run, and nothing be loaded; but browsers show a video as a page that loads it.
 */
const SANDBOX = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox";

/** Parameters that replace a stored header in one answer, for signed requests only. */
const RESPONSE_PARAMETERS = [
  'Cache-Control',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Type',
  'Expires',
];

export interface ObjectRouteOptions {
  readonly callers: S3Callers;
  readonly objects: Objects;
}

export function objectRoutes(options: ObjectRouteOptions): Record<string, S3Handler> {
  const { callers, objects } = options;

  async function findReadable(ctx: Context, target: S3Target): Promise<StoredObject> {
    const { hostBucket, key } = target;
    const caller = await callers.ofRequest(ctx, hostBucket);
    checkObjectKey(key);
    const bucket = storedBucket(target);
    checkVersion(ctx, key);
    checkPartNumber(ctx);
    const found = await objects.find(bucket.name, key);
    const object = checkMayRead(caller, { bucket: bucket.name, key }, bucket.acl, found);
    checkResponseParameters(ctx, caller.principal !== undefined);
    return object;
  }

  const get: S3Handler = async (ctx, target) => {
    await sendObject(ctx, objects, () => findReadable(ctx, target));
  };

  const remove: S3Handler = async (ctx, target) => {
    const { hostBucket, key } = target;
    const caller = await callers.ofRequest(ctx, hostBucket);
    checkObjectKey(key);
    const { name, acl } = storedBucket(target);
    checkMayWrite(caller, { bucket: name, key }, acl);
    checkVersion(ctx, key);
    const condition = parseWriteCondition((header) => ctx.get(header) || undefined, key);
    await objects.remove(name, key, caller, condition);
    ctx.status = 204;
  };

  return { GET: get, HEAD: get, DELETE: remove };
}

/**
 * Answers with the object that `find` finds, or a part of it, or that the client has it already. Where
 * it is replaced before its bytes are opened, it is looked for again.
 */
export async function sendObject(
  ctx: Context,
  objects: Objects,
  find: () => Promise<StoredObject>,
): Promise<void> {
  let missing = -1;
  for (;;) {
    const object = await find();
    if (object.version === missing) throw new Error(`The bytes of ${ctx.path} are missing.`);
    if (isNotModified(ctx.req.headers, object)) {
      setObjectHeaders(ctx, object);
      ctx.status = 304;
      return;
    }
    const range = await rangeOf(ctx, objects, object);
    const isHead = ctx.method === 'HEAD';
    const bytes = range === 'gone' ? undefined : isHead ? null : await objects.read(object, range);
    if (range !== 'gone' && bytes !== undefined) {
      setObjectHeaders(ctx, object);
      ctx.status = range ? 206 : 200;
      if (range) ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${object.size}`);
      else if (wantsChecksum(ctx)) setChecksum(ctx, object.checksum);
      if (bytes !== null) ctx.body = separately(ctx, bytes);
      ctx.length = range ? range.end - range.start + 1 : object.size;
      return;
    }
    missing = object.version;
  }
}

/**
 * Where head and body leave at once, Node writes the characters of this one header, not its bytes: UTF-8
 * would be lost, and U+010D U+010A become a line end. As a stream they leave one after the other.
 */
function separately(ctx: Context, bytes: Readable | Buffer): Readable | Buffer {
  const isAscii = !/[^\0-\x7f]/.test(ctx.response.get('Content-Disposition'));
  return isAscii || !Buffer.isBuffer(bytes) || bytes.length === 0 ? bytes : Readable.from(bytes);
}

/** What of the object is asked for; undefined for the whole. */
async function rangeOf(
  ctx: Context,
  objects: Objects,
  object: StoredObject,
): Promise<ByteRange | 'gone' | undefined> {
  const number = new URLSearchParams(ctx.querystring).get('partNumber');
  if (number !== null) return partRange(ctx, objects, object, parsePartNumber(number));
  if (!isRangeApplicable(ctx.req.headers, object)) return undefined;
  return parseByteRange(ctx.req.headers.range, object.size);
}

async function partRange(
  ctx: Context,
  objects: Objects,
  object: StoredObject,
  number: number,
): Promise<ByteRange | 'gone' | undefined> {
  if (ctx.get('range') !== '') {
    throw new S3Error('InvalidRequest', {
      message: 'Cannot specify both Range header and partNumber query parameter.',
    });
  }
  // What was said of an object that was replaced meanwhile.
  for (const name of ctx.res.getHeaderNames()) {
    if (/^x-amz-(checksum-|mp-parts-count$)/.test(name)) ctx.remove(name);
  }
  const part = await objects.part(object, number);
  if (part === 'gone') return part;
  if (!part) {
    throw new S3Error('InvalidPartNumber', {
      extra: [
        ['PartNumberRequested', String(number)],
        ['ActualPartCount', String(partCount(object))],
      ],
    });
  }
  if ('uploadId' in object.bytes) {
    ctx.set('x-amz-mp-parts-count', String(partCount(object)));
    if (part.checksum && wantsChecksum(ctx)) {
      setChecksum(ctx, { ...part.checksum, type: object.checksum?.type });
    }
  }
  return part.size === 0 ? undefined : { start: part.start, end: part.start + part.size - 1 };
}

/** Throws S3Error InvalidArgument, whether or not there is an object. */
function checkPartNumber(ctx: Context): void {
  const number = new URLSearchParams(ctx.querystring).get('partNumber');
  if (number !== null) parsePartNumber(number);
}

function partCount({ bytes }: StoredObject): number {
  return 'uploadId' in bytes ? countParts(bytes.numbers) : 1;
}

/** Throws S3Error NoSuchVersion. */
function checkVersion(ctx: Context, key: string): void {
  checkVersionId(new URLSearchParams(ctx.querystring).get('versionId') ?? undefined, key);
}

function setObjectHeaders(ctx: Context, object: StoredObject): void {
  const { headers, metadata, storageClass, tags } = object.attributes;
  const { res } = ctx;
  res.setHeader('Content-Type', DEFAULT_TYPE);
  for (const [name, value] of Object.entries(headers))
    res.setHeader(name, storedHeaderValue(value));
  for (const [name, value] of metadata) {
    res.setHeader(`x-amz-meta-${name}`, metadataHeaderValue(value));
  }
  if (storageClass !== 'STANDARD') res.setHeader('x-amz-storage-class', storageClass);
  if (tags.length > 0) res.setHeader('x-amz-tagging-count', tags.length);
  for (const [name, value] of responseParameters(ctx))
    res.setHeader(name, storedHeaderValue(value));
  res.setHeader('ETag', `"${object.etag}"`);
  res.setHeader('Last-Modified', new Date(object.lastModified).toUTCString());
  res.setHeader('Accept-Ranges', 'bytes');
  res.setHeader('Content-Security-Policy', SANDBOX);
}

/** Of the whole object, or of one part: clients verify what they get with it. */
function wantsChecksum(ctx: Context): boolean {
  return ctx.get('x-amz-checksum-mode').toUpperCase() === 'ENABLED';
}

function responseParameters(ctx: Context): [string, string][] {
  const query = new URLSearchParams(ctx.querystring);
  return RESPONSE_PARAMETERS.flatMap((name): [string, string][] => {
    const value = query.get(`response-${name.toLowerCase()}`);
    // What no header can hold is left out.
    return value !== null && isHeaderText(value) ? [[name, value]] : [];
  });
}

/** Throws S3Error InvalidRequest: a link that anybody may write could make a page of an object. */
function checkResponseParameters(ctx: Context, isAuthenticated: boolean): void {
  if (isAuthenticated || responseParameters(ctx).length === 0) return;
  throw new S3Error('InvalidRequest', {
    message: 'Request specific response headers cannot be used for anonymous GET requests.',
  });
}
