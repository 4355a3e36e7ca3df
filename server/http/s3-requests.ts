import { reservedNames } from '../../shared/reserved-names.ts';
import { checkBucketName } from '../s3/bucket-name.ts';
import { parseResource } from '../s3/object-key.ts';
import { OWNER } from '../s3/owner.ts';
import { invalidArgument, noSuchBucket, S3Error, withStatus } from '../s3/s3-error.ts';
import { subresourceOf } from '../s3/subresources.ts';
import type { Buckets, StoredBucket } from '../services/buckets.ts';
import type { Context, Handler } from './context.ts';
import { setS3Headers } from './s3-answer.ts';
import { isSigned } from './s3-caller.ts';
import { allowPages, answerPreflight } from './s3-cors.ts';
import type { S3Exchange } from './s3-exchange.ts';
import { s3OperationName } from './s3-operations.ts';

/** What a request to an S3 route addresses. */
export interface S3Target {
  /** What the Host names, which signatures of version 2 cover. */
  readonly hostBucket: string | undefined;
  /** Undefined for `/`. */
  readonly bucket: string | undefined;
  /** The bucket, where there is one. */
  readonly stored: StoredBucket | undefined;
  /** Empty for the bucket itself. */
  readonly key: string;
}

export type S3Handler<C extends S3Exchange = Context> = (ctx: C, target: S3Target) => Promise<void>;

/**
 * Handlers for `/`, for a bucket and for an object: by method, and by method and subresource, such as
 * `GET ?acl`.
 */
export type S3Operations<C extends S3Exchange = Context> = Readonly<Record<string, S3Handler<C>>>;

export interface S3Routes<C extends S3Exchange = Context> {
  readonly service: S3Operations<C>;
  readonly bucket: S3Operations<C>;
  readonly object: S3Operations<C>;
}

/** The bucket that a Host names. */
export type BucketOfHost = (host: string) => string | undefined;

/** Takes what is S3's: every path that Keystow does not keep for itself, and all of a bucket's Host. */
export function s3Requests(
  routes: S3Routes,
  { buckets, bucketOfHost }: { buckets: Buckets; bucketOfHost: BucketOfHost },
): Handler {
  const answerS3 = createS3Answers(routes, { buckets });
  return async (ctx, next) => {
    const hostBucket = bucketOfHost(ctx.host);
    if (ctx.state.envelope || (hostBucket === undefined && isReserved(ctx))) return next();
    await answerS3(ctx, hostBucket);
  };
}

/** Answers what is S3's; rejects with what the answer is made of otherwise. */
export function createS3Answers<C extends S3Exchange>(
  routes: S3Routes<C>,
  { buckets }: { buckets: Buckets },
): (ctx: C, hostBucket: string | undefined) => Promise<void> {
  return async (ctx, hostBucket) => {
    ctx.state.isS3 = true;
    ctx.state.route = 'S3';
    setS3Headers(ctx);
    allowPages(ctx, undefined);
    const resource = parseResource(ctx.path, hostBucket);
    const { bucket } = resource;
    const stored = bucket === undefined ? undefined : await buckets.find(bucket);
    if (ctx.method === 'OPTIONS') return answerPreflight(ctx, stored);
    if (stored?.cors) allowPages(ctx, stored);
    const target = { hostBucket, ...resource, stored };
    try {
      checkExpectedOwner(ctx);
      await operationOf(ctx, target, routes)(ctx, target);
    } catch (error) {
      throw stored?.saves ? asSavesRefusal(error) : error;
    }
  };
}

/** Throws S3Error NoSuchBucket. */
export function storedBucket({ bucket = '', stored }: S3Target): StoredBucket {
  if (!stored) throw noSuchBucket(bucket);
  return stored;
}

/** Consoles know one refusal: in a bucket with saves a 400 is a 403 with the same code. */
export function asSavesRefusal(error: unknown): unknown {
  return error instanceof S3Error && error.status === 400 ? withStatus(error, 403) : error;
}

function isReserved(ctx: S3Exchange): boolean {
  const [, first = ''] = ctx.path.split('/', 2);
  if (ctx.path === '/') return (ctx.method === 'GET' || ctx.method === 'HEAD') && !isSigned(ctx);
  return reservedNames.has(first);
}

/** A client that relies on whose bucket it is must not be told of success with somebody else's. */
function checkExpectedOwner(ctx: S3Exchange): void {
  const names = ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner'];
  const inQuery = [...new URLSearchParams(ctx.querystring)]
    .filter(([name]) => names.includes(name.toLowerCase()))
    .map(([, expected]) => expected);
  for (const expected of [...names.map((name) => ctx.get(name)), ...inQuery]) {
    if (expected !== '' && expected !== OWNER.id) throw new S3Error('AccessDenied');
  }
}

function operationOf<C extends S3Exchange>(
  ctx: C,
  { bucket, key }: S3Target,
  routes: S3Routes<C>,
): S3Handler<C> {
  if (bucket === undefined && key !== '') checkBucketName('');
  const level = bucket === undefined ? 'service' : key === '' ? 'bucket' : 'object';
  const operations = routes[level];
  const subresource = subresourceOf(new URLSearchParams(ctx.querystring).keys());
  const name = subresource === undefined ? ctx.method : `${ctx.method} ?${subresource}`;
  const handler = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (handler) ctx.state.route = s3OperationName(ctx, level, name);
  checkCopyAllowed(ctx, level, handler);
  if (handler) return handler;
  if (subresource !== undefined) {
    const isOfBuckets = level === 'object' && Object.hasOwn(routes.bucket, name);
    throw isOfBuckets ? keyUnexpected(name) : notOffered(ctx.method, subresource);
  }
  throw new S3Error('MethodNotAllowed', {
    extra: [
      ['Method', ctx.method],
      ['ResourceType', level.toUpperCase()],
    ],
    headers: { Allow: methodsOf(operations).join(', ') },
  });
}

function methodsOf(operations: object): string[] {
  return Object.keys(operations).filter((name) => !name.includes('?'));
}

/** Else a copy that was asked for where there is none would look as if it had been made. */
function checkCopyAllowed(ctx: S3Exchange, level: string, handler: unknown): void {
  const source = ctx.get('x-amz-copy-source');
  if (source === '' || !handler || (ctx.method === 'PUT' && level === 'object')) return;
  throw invalidArgument(
    'You can only specify a copy source header for copy requests.',
    'x-amz-copy-source',
    source,
  );
}

/** `name` is `GET ?uploads`: an operation of buckets. */
function keyUnexpected(name: string): S3Error {
  return new S3Error('InvalidRequest', {
    message: `Key is not expected for the ${name.replace(' ', ' method ')} subresource`,
  });
}

function notOffered(method: string, subresource: string): S3Error {
  return new S3Error('NotImplemented', {
    message: `The operation ${method} ?${subresource} is not implemented.`,
  });
}
