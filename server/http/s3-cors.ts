import { type CorsRule, corsHeaders } from '../s3/cors-rules.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { StoredBucket } from '../services/buckets.ts';
import { sendEmpty } from './s3-answer.ts';
import type { S3Exchange } from './s3-exchange.ts';

/**
 * Which pages may read the answers of S3 routes: any page, since none is given because of what a
 * browser adds by itself (see s3-caller.ts); or those that the bucket's CORS rules name.
 */

const PREFLIGHT_HEADERS = [
  'Origin',
  'Access-Control-Request-Headers',
  'Access-Control-Request-Method',
];

export function allowPages(ctx: S3Exchange, bucket: StoredBucket | undefined): void {
  if (!bucket?.cors) {
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', '*');
    return;
  }
  forgetPages(ctx);
  ctx.vary('Origin');
  const origin = ctx.get('origin');
  if (origin === '') return;
  const request = { origin, method: ctx.method, requestHeaders: [] };
  const headers = corsHeaders(bucket.cors, request);
  for (const [name, value] of Object.entries(headers ?? {})) ctx.set(name, value);
}

/**
 * Throws S3Error where the bucket's rules do not allow the request: AccessForbidden, or BadRequest for what
 * is no preflight (Fetch, 3.2).
 */
export function answerPreflight(ctx: S3Exchange, bucket: StoredBucket | undefined): void {
  if (bucket?.cors) allowByRules(ctx, bucket.cors);
  else allowAll(ctx);
  sendEmpty(ctx, 200);
}

function allowByRules(ctx: S3Exchange, rules: readonly CorsRule[]): void {
  // A refusal must not allow anything, and is not for the next page's preflight.
  forgetPages(ctx);
  for (const name of PREFLIGHT_HEADERS) ctx.vary(name);
  const origin = ctx.get('origin');
  const method = ctx.get('access-control-request-method');
  if (origin === '') {
    throw new S3Error('BadRequest', {
      message: 'Insufficient information. Origin request header needed.',
    });
  }
  if (method === '') {
    throw new S3Error('BadRequest', { message: 'Invalid Access-Control-Request-Method: null' });
  }
  const requestHeaders = ctx
    .get('access-control-request-headers')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const headers = corsHeaders(rules, { origin, method, requestHeaders });
  if (!headers) throw new S3Error('AccessForbidden', { extra: [['Method', method]] });
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
}

function allowAll(ctx: S3Exchange): void {
  allowPages(ctx, undefined);
  if (ctx.get('access-control-request-method') === '') return;
  const requested = ctx.get('access-control-request-headers');
  ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE');
  if (requested !== '') ctx.set('Access-Control-Allow-Headers', requested);
  ctx.set('Access-Control-Max-Age', '3000');
  ctx.vary('Access-Control-Request-Headers');
}

function forgetPages(ctx: S3Exchange): void {
  ctx.remove('Access-Control-Allow-Origin');
  ctx.remove('Access-Control-Expose-Headers');
}
