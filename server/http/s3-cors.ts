import { corsHeaders } from '../s3/cors-rules.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { StoredBucket } from '../services/buckets.ts';
import type { Context } from './context.ts';
import { sendEmpty } from './s3-answer.ts';

/**
 * Which pages may read the answers of S3 routes: any page, since none is given because of what a
 * browser adds by itself (see s3-caller.ts); or those that the bucket's CORS rules name.
 */

export function allowPages(ctx: Context, bucket: StoredBucket | undefined): void {
  if (!bucket?.cors) {
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', '*');
    return;
  }
  ctx.remove('Access-Control-Allow-Origin');
  ctx.remove('Access-Control-Expose-Headers');
  ctx.vary('Origin');
  const origin = ctx.get('origin');
  if (origin === '') return;
  const request = { origin, method: ctx.method, requestHeaders: [] };
  const headers = corsHeaders(bucket.cors, request);
  for (const [name, value] of Object.entries(headers ?? {})) ctx.set(name, value);
}

/** Throws S3Error AccessForbidden where the bucket's rules do not allow the request (Fetch, 3.2). */
export function answerPreflight(ctx: Context, bucket: StoredBucket | undefined): void {
  const method = ctx.get('access-control-request-method');
  const requested = ctx.get('access-control-request-headers');
  if (bucket?.cors) {
    const headers = corsHeaders(bucket.cors, {
      origin: ctx.get('origin'),
      method,
      requestHeaders: requested
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    });
    if (!headers) throw new S3Error('AccessForbidden');
    for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
  } else {
    allowPages(ctx, undefined);
    if (method !== '') {
      ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE');
      if (requested !== '') ctx.set('Access-Control-Allow-Headers', requested);
      ctx.set('Access-Control-Max-Age', '3000');
      ctx.vary('Access-Control-Request-Headers');
    }
  }
  sendEmpty(ctx, 200);
}
