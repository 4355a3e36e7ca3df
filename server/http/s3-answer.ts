import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ErrorCode, KeystowError } from '../../shared/errors.ts';
import { errorXml } from '../s3/error-xml.ts';
import { type ErrorMember, S3Error } from '../s3/s3-error.ts';
import { XML_DECLARATION } from '../s3/xml-text.ts';
import { toAnswerable } from './answerable.ts';
import type { Context } from './context.ts';
import type { S3Exchange } from './s3-exchange.ts';

/** What every answer of an S3 route has, and S3's errors. */

/** `x-amz-id-2`: support asks for it beside the request id; here it tells the process. */
const hostId = randomBytes(33).toString('base64');

export function setS3Headers(ctx: S3Exchange): void {
  ctx.set('x-amz-request-id', ctx.state.requestId);
  ctx.set('x-amz-id-2', hostId);
}

export function sendXml(ctx: S3Exchange, status: number, xml: string): void {
  ctx.status = status;
  ctx.set('Content-Type', 'application/xml');
  ctx.body = xml;
}

/** How long a client hears nothing of a copy, in milliseconds. */
const SILENCE_MS = 10_000;

/**
 * As S3 does with what may take long: once the client has waited, a 200 with white space begins, and its
 * XML says how it went, even if it failed.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function sendXmlWhenDone(ctx: Context, work: () => Promise<string>): Promise<void> {
  const xml = work();
  if (await isSettled(xml, SILENCE_MS)) return sendXml(ctx, 200, await xml);
  sendXml(ctx, 200, '');
  ctx.body = Readable.from(slowly(ctx, xml));
}

async function* slowly(ctx: Context, xml: Promise<string>): AsyncGenerator<string> {
  yield XML_DECLARATION;
  while (!(await isSettled(xml, SILENCE_MS))) yield ' ';
  const whole = await xml.catch((thrown) => lateErrorXml(ctx, thrown));
  yield whole.slice(XML_DECLARATION.length);
}

function lateErrorXml(ctx: Context, thrown: unknown): string {
  const { requestId } = ctx.state;
  const error = toAnswerable(thrown, requestId);
  ctx.app.emit('error', new Error(`The request ${requestId} failed.`, { cause: thrown }), ctx);
  return errorXml(toS3Failure(error), { resource: ctx.path, requestId, hostId });
}

/** Whether it is settled, in whichever way, before the time is over. */
function isSettled(work: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const settle = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    work.then(settle, settle);
  });
}

/** Without a body, and without the type that Koa would give it. */
export function sendEmpty(ctx: S3Exchange, status: number): void {
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

export function sendS3Error(ctx: S3Exchange, failure: S3Failure): void {
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
