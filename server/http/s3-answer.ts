import { randomBytes } from 'node:crypto';
import type { ErrorCode, KeystowError } from '../../shared/errors.ts';
import { errorXml } from '../s3/error-xml.ts';
import { type ErrorMember, S3Error } from '../s3/s3-error.ts';
import type { Context } from './context.ts';

/** What every answer of an S3 route has, and S3's errors. */

/** `x-amz-id-2`: support asks for it beside the request id; here it tells the process. */
const hostId = randomBytes(33).toString('base64');

/**
 * Any page may read these answers, since none is given because of what a browser adds by itself:
 * see s3-caller.ts.
 */
export function setS3Headers(ctx: Context): void {
  ctx.set('x-amz-request-id', ctx.state.requestId);
  ctx.set('x-amz-id-2', hostId);
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set('Access-Control-Expose-Headers', '*');
}

export function sendXml(ctx: Context, status: number, xml: string): void {
  ctx.status = status;
  ctx.set('Content-Type', 'application/xml');
  ctx.body = xml;
}

/** Without a body, and without the type that Koa would give it. */
export function sendEmpty(ctx: Context, status: number): void {
  ctx.status = status;
  if (status === 204) return;
  ctx.body = '';
  ctx.remove('Content-Type');
}

export interface S3Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly extra: readonly ErrorMember[];
  readonly headers: Readonly<Record<string, string>>;
}

export function sendS3Error(ctx: Context, failure: S3Failure): void {
  for (const [name, value] of Object.entries(failure.headers)) ctx.set(name, value);
  const { requestId } = ctx.state;
  sendXml(ctx, failure.status, errorXml(failure, { resource: ctx.path, requestId, hostId }));
}

/** S3's code for a failure that is not S3's own; its status stays. */
const S3_CODES: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'AccessDenied',
  forbidden: 'AccessDenied',
  'method-not-allowed': 'MethodNotAllowed',
  'too-many-requests': 'SlowDown',
  internal: 'InternalError',
  unavailable: 'ServiceUnavailable',
  'disk-full': 'InsufficientStorage',
};

export function toS3Failure(error: S3Error | KeystowError): S3Failure {
  if (error instanceof S3Error) return error;
  const { status, message, headers } = error;
  return { status, code: S3_CODES[error.code] ?? 'InvalidRequest', message, extra: [], headers };
}
