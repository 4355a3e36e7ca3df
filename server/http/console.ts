import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { extname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeystowError } from '../../shared/errors.ts';
import type { Context, Handler } from './context.ts';

/** What Vite has built of `console/`: the page, and what it loads. */
const FOLDER = fileURLToPath(new URL('../../console/', import.meta.url));
const ASSETS = '/console/assets/';
const NAMED_HOST = /^[\w.-]+(?::\d+)?$/;
const UNNAMED_HOST =
  'Open the console by a host name or an IPv4 address: its Content-Security-Policy cannot name others.';
/** The names of assets have a hash of their contents. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * The console: files that need no credentials. The page asks for those, and uses the same API as
 * everybody. It is before the check of origins: a link on another site's page may lead to it.
 */
export function serveConsole(publicUrl: string | undefined): Handler {
  let listed: Promise<ReadonlySet<string>> | undefined;
  return async (ctx, next) => {
    const isRoot = ctx.path === '/' && isBrowser(ctx);
    const isPage = ctx.path === '/console' || ctx.path === '/console/';
    if (ctx.state.envelope || !(isRoot || isPage || ctx.path.startsWith('/console/')))
      return next();
    ctx.state.route = isRoot ? '/' : isPage ? '/console' : `${ASSETS}*`;
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      const headers = { Allow: 'HEAD, GET' };
      const message = `${ctx.path} takes HEAD, GET, not ${ctx.method}.`;
      throw new KeystowError('method-not-allowed', message, { headers });
    }
    if (isRoot) return ctx.redirect('/console');
    listed ??= list();
    const files = await listed;
    const name = isPage ? 'index.html' : ctx.path.slice('/console/'.length);
    if (!files.has(name) || name.endsWith('.gz')) throw nothingAt(ctx.path, files);
    setHeaders(ctx, isPage, publicUrl);
    send(ctx, name, files);
  };
}

/** Nothing but what is in this list is ever read: a path cannot lead out of the folder. */
async function list(): Promise<ReadonlySet<string>> {
  const names = await readdir(FOLDER, { recursive: true }).catch(() => []);
  return new Set(names.map((name) => name.replaceAll(sep, '/')).filter((name) => extname(name)));
}

function send(ctx: Context, name: string, files: ReadonlySet<string>): void {
  ctx.vary('Accept-Encoding');
  const isGzipped = files.has(`${name}.gz`) && ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (isGzipped) ctx.set('Content-Encoding', 'gzip');
  ctx.type = extname(name);
  ctx.body = createReadStream(FOLDER + name + (isGzipped ? '.gz' : ''));
}

function setHeaders(ctx: Context, isPage: boolean, publicUrl: string | undefined): void {
  ctx.set('Cache-Control', isPage ? 'no-cache' : FOR_EVER);
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  if (!isPage) return;
  ctx.set('Content-Security-Policy', contentSecurityPolicy(ctx.host, publicUrl));
  ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
  ctx.set('Referrer-Policy', 'no-referrer');
}

/**
 * Scripts and styles are the console's own files alone: 'self' would do for a stored object, too. Without
 * a scheme it is the page's own, which a proxy that ends TLS hides. https://www.w3.org/TR/CSP3/
 */
function contentSecurityPolicy(host: string, publicUrl: string | undefined): string {
  if (!NAMED_HOST.test(host)) throw new KeystowError('bad-request', UNNAMED_HOST);
  const hosts = new Set([host, ...(publicUrl === undefined ? [] : [new URL(publicUrl).host])]);
  const assets = [...hosts].map((name) => name + ASSETS).join(' ');
  return [
    "default-src 'none'",
    `script-src ${assets}`,
    `style-src ${assets}`,
    `img-src ${assets} blob:`,
    'frame-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function isBrowser(ctx: Context): boolean {
  // A browser names HTML; clients that take anything (curl's */*) get the JSON.
  return ctx.accepts('application/json', 'text/html') === 'text/html';
}

function nothingAt(path: string, files: ReadonlySet<string>): KeystowError {
  const message = files.size === 0 ? 'The console is not built: run npm run build.' : '';
  return new KeystowError('not-found', message || `There is nothing at ${path}.`);
}
