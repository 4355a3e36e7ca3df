import type { S3Exchange } from './s3-exchange.ts';

/**
 * What clients call this server, without a slash at its end: PUBLIC_URL, else what the request was sent
 * to. Empty for a request of HTTP/1.0 without a Host.
 */
export function baseUrl(ctx: S3Exchange, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  if (ctx.state.envelope) return ctx.state.envelope.base;
  return ctx.host === '' ? '' : `${ctx.protocol}://${ctx.host}`;
}

/** The same for a bucket, whether the path or the Host names it. */
export function bucketUrl(
  ctx: S3Exchange,
  hostBucket: string | undefined,
  bucket: string,
  publicUrl: string | undefined,
): string {
  const base = baseUrl(ctx, publicUrl);
  return hostBucket && publicUrl === undefined ? base : `${base}/${bucket}`;
}
