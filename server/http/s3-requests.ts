import { checkBucketName } from '../s3/bucket-name.ts';
import { parseResource } from '../s3/object-key.ts';
import { S3Error } from '../s3/s3-error.ts';
import { otherOperation } from '../s3/subresources.ts';
import { reservedNames } from '../services/buckets.ts';
import type { Context, Handler } from './context.ts';
import { sendEmpty, setS3Headers } from './s3-answer.ts';
import { isSigned } from './s3-caller.ts';

/** What a request to an S3 route addresses. */
export interface S3Target {
  /** What the Host names, which signatures of version 2 cover. */
  readonly hostBucket: string | undefined;
  /** Undefined for `/`. */
  readonly bucket: string | undefined;
  /** Empty for the bucket itself. */
  readonly key: string;
}

export type S3Handler = (ctx: Context, target: S3Target) => Promise<void>;

/** Handlers by method, for `/`, for a bucket and for an object. */
export interface S3Routes {
  readonly service: Readonly<Record<string, S3Handler>>;
  readonly bucket: Readonly<Record<string, S3Handler>>;
  readonly object: Readonly<Record<string, S3Handler>>;
  /** `GET /BUCKET?location`. */
  readonly location: S3Handler;
}

/** The bucket that a Host names. */
export type BucketOfHost = (host: string) => string | undefined;

/** Takes what is S3's: every path that Keystow does not keep for itself, and all of a bucket's Host. */
export function s3Requests(routes: S3Routes, bucketOf: BucketOfHost): Handler {
  return async (ctx, next) => {
    const hostBucket = bucketOf(ctx.host);
    if (ctx.state.envelope || (hostBucket === undefined && isReserved(ctx))) return next();
    ctx.state.isS3 = true;
    setS3Headers(ctx);
    if (ctx.method === 'OPTIONS') return answerPreflight(ctx);
    const target = { hostBucket, ...parseResource(ctx.path, hostBucket) };
    await handlerOf(ctx, target, routes)(ctx, target);
  };
}

function isReserved(ctx: Context): boolean {
  const [, first = ''] = ctx.path.split('/', 2);
  if (ctx.path === '/') return (ctx.method === 'GET' || ctx.method === 'HEAD') && !isSigned(ctx);
  return reservedNames.has(first);
}

function handlerOf(ctx: Context, { bucket, key }: S3Target, routes: S3Routes): S3Handler {
  if (bucket === undefined && key !== '') checkBucketName('');
  const level = bucket === undefined ? 'service' : key === '' ? 'bucket' : 'object';
  const handler = Object.hasOwn(routes[level], ctx.method) ? routes[level][ctx.method] : undefined;
  const parameters = new URLSearchParams(ctx.querystring);
  if (level === 'bucket' && ctx.method === 'GET' && parameters.has('location')) {
    return routes.location;
  }
  const other = otherOperation(parameters.keys());
  if (other !== undefined) throw notOffered(other);
  if (handler) return handler;
  if (level === 'object' && ctx.method === 'PUT') {
    throw new S3Error('NotImplemented', { message: 'Objects are written with a form: POST one.' });
  }
  throw new S3Error('MethodNotAllowed', {
    extra: [
      ['Method', ctx.method],
      ['ResourceType', level.toUpperCase()],
    ],
    headers: { Allow: Object.keys(routes[level]).join(', ') },
  });
}

function notOffered(parameter: string): S3Error {
  return new S3Error('NotImplemented', {
    message: `The operation that the parameter ${parameter} asks for is not implemented.`,
  });
}

/** Pages of any origin may ask; none may send what a browser adds by itself (Fetch, 3.2). */
function answerPreflight(ctx: Context): void {
  if (ctx.get('access-control-request-method') !== '') {
    ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE');
    const headers = ctx.get('access-control-request-headers');
    if (headers !== '') ctx.set('Access-Control-Allow-Headers', headers);
    ctx.set('Access-Control-Max-Age', '3000');
    ctx.vary('Access-Control-Request-Headers');
  }
  sendEmpty(ctx, 200);
}
