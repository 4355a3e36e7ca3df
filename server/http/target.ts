import { KeystowError } from '../../shared/errors.ts';
import type { Exchange } from './exchange.ts';

/** The request target, RFC 9112 section 3.2, and what of it is percent-decoded. */

/**
 * Path and query as visible ASCII: an absolute form loses its origin, and what clients should have
 * escaped is escaped. Node hands over each byte of the request line as one character.
 */
export function normalizeTarget(target: string): string {
  if (/^\/[\x21\x22\x24-\x7e]*$/.test(target)) return target;
  const path = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*\/?/i, '/');
  return path.replace(
    /[^\x21\x22\x24-\x7e]/g,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** What follows `prefix` in the path, percent-decoded once. Throws `bad-request`. */
export function decodeAfter(ctx: Exchange, prefix: string): string {
  return decode(ctx.path.slice(prefix.length));
}

/** The parameters of the query; of a repeated one the first counts. Throws `bad-request`. */
export function parseQuery(ctx: Exchange): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of ctx.querystring.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(formSpaces(equals < 0 ? pair : pair.slice(0, equals)));
    if (!query.has(name))
      query.set(name, equals < 0 ? '' : decode(formSpaces(pair.slice(equals + 1))));
  }
  return query;
}

/** Throws `bad-request`. */
export function parseWhole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value;
  throw new KeystowError('bad-request', `${name} is a whole number from ${min} to ${max}.`);
}

/** Where the next page of a list is. */
export function linkNext(ctx: Exchange, after: string, limit: number): void {
  const query = parseQuery(ctx);
  query.set('after', after).set('limit', String(limit));
  ctx.set('Link', `<${ctx.path}?${new URLSearchParams([...query])}>; rel="next"`);
}

function formSpaces(text: string): string {
  return text.replaceAll('+', ' ');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new KeystowError(
      'bad-request',
      'The URL has a malformed percent escape: escape each byte of UTF-8 as % and two hex digits.',
    );
  }
}
