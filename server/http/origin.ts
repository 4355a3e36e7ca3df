import type { IncomingMessage } from 'node:http';
import cors from '@koa/cors';
import { KeystowError } from '../../shared/errors.ts';
import type { Handler } from './context.ts';

/**
 * A browser sends Basic credentials by itself, so a page of a foreign origin could act for its
 * visitor (CSRF). Such requests are refused before anything else is looked at.
 */
export function isForeign(
  headers: IncomingMessage['headers'],
  host: string,
  allowed: readonly string[],
): boolean {
  const { origin } = headers;
  if (origin !== undefined && allowed.includes(origin)) return false;
  if (headers['sec-fetch-site'] === 'cross-site') return true;
  return origin !== undefined && !isSameHost(origin, host);
}

/** The Host that the client asked for: what Koa's `ctx.host` is, for those who have no context. */
export function hostOf(req: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? req.headers['x-forwarded-host'] : undefined;
  // Of several proxies' entries the first.
  const [host = ''] = String(forwarded ?? req.headers.host ?? '').split(',');
  return host.trim();
}

/** By host alone: behind a proxy that ends TLS, the scheme is not what the browser sees. */
function isSameHost(origin: string, host: string): boolean {
  try {
    const own = new URL(origin);
    return own.host === new URL(`${own.protocol}//${host}`).host;
  } catch {
    return false;
  }
}

export function refuseForeignOrigins(allowed: readonly string[]): Handler {
  return async (ctx, next) => {
    if (isForeign(ctx.req.headers, ctx.host, allowed)) {
      throw new KeystowError(
        'forbidden',
        'Pages of other origins may not use this server: add the origin to CORS_ORIGINS.',
      );
    }
    await next();
  };
}

/** The answers that let pages of the allowed origins read what they asked for. */
export function allowOrigins(allowed: readonly string[]): Handler {
  return cors({
    origin: (ctx) => (allowed.includes(ctx.get('origin')) ? ctx.get('origin') : ''),
    allowMethods: 'GET,HEAD,POST,PUT,PATCH,DELETE',
    exposeHeaders: [
      'ETag',
      'Location',
      'Link',
      'Retry-After',
      'X-Request-Id',
      'X-Keystow-Revision',
    ],
    credentials: (ctx) => allowed.includes(ctx.get('origin')),
    maxAge: 600,
    keepHeadersOnError: false,
  });
}
