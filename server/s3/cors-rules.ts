export const corsMethods = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'] as const;

export type CorsMethod = (typeof corsMethods)[number];

/** One rule of a bucket, as it is stored. Origins and allowed headers may have one `*` each. */
export interface CorsRule {
  readonly id?: string;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly CorsMethod[];
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
}

export interface CorsRequest {
  readonly origin: string;
  /** Its own method; of a preflight the one that it asks for. */
  readonly method: string;
  /** Those that a preflight asks for. */
  readonly requestHeaders: readonly string[];
}

/**
 * The headers that the first rule that matches gives an answer; undefined where none does. There is
 * never `Access-Control-Allow-Credentials`: pages of other origins have no credentials here.
 */
export function corsHeaders(
  rules: readonly CorsRule[],
  { origin, method, requestHeaders }: CorsRequest,
): Record<string, string> | undefined {
  // Both are given back in headers; what no browser sends is not.
  if (!/^[!-~]+$/.test(origin) || !requestHeaders.every(isHeaderName)) return undefined;
  const headers = [...new Set(requestHeaders.map((name) => name.toLowerCase()))];
  for (const rule of rules) {
    if (!rule.allowedMethods.some((allowed) => allowed === method)) continue;
    const allowedOrigin = rule.allowedOrigins.find((pattern) => matches(pattern, origin));
    if (allowedOrigin !== undefined && allowsHeaders(rule, headers)) {
      return ruleHeaders(rule, allowedOrigin === '*' ? '*' : origin, headers);
    }
  }
  return undefined;
}

/** A token of RFC 9110 section 5.6.2. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name);
}

function allowsHeaders(rule: CorsRule, headers: readonly string[]): boolean {
  const patterns = rule.allowedHeaders.map((pattern) => pattern.toLowerCase());
  return headers.every((header) => patterns.some((pattern) => matches(pattern, header)));
}

/** Literally, or with the pattern's one `*` for any text, the empty one too. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}

function ruleHeaders(
  rule: CorsRule,
  origin: string,
  headers: readonly string[],
): Record<string, string> {
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': rule.allowedMethods.join(', '),
    ...(headers.length > 0 && { 'Access-Control-Allow-Headers': headers.join(', ') }),
    ...(rule.exposeHeaders.length > 0 && {
      'Access-Control-Expose-Headers': rule.exposeHeaders.join(', '),
    }),
    ...(rule.maxAgeSeconds !== undefined && {
      'Access-Control-Max-Age': String(rule.maxAgeSeconds),
    }),
    Vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}
