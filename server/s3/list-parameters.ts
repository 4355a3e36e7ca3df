import { MAX_PAGE_OBJECTS } from '../../shared/limits.ts';
import { invalidArgument } from './s3-error.ts';

/** What the query of a list asks for. Parameters that are empty count as absent, as on S3. */

/** What all of S3's lists by key have. */
export interface ListParameters {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** At most 1,000, whatever is asked for. */
  readonly limit: number;
  /** Names are percent-encoded in the answer. */
  readonly isUrlEncoded: boolean;
}

/** Throws S3Error InvalidArgument for a limit that is no whole number, or an unknown encoding. */
export function parseListParameters(
  query: URLSearchParams,
  limitName: 'max-keys' | 'max-uploads',
): ListParameters {
  const encoding = query.get('encoding-type') || undefined;
  if (encoding !== undefined && encoding !== 'url') {
    throw invalidArgument(
      'Invalid Encoding Method specified in Request',
      'encoding-type',
      encoding,
    );
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') || undefined,
    limit: parseLimit(query, limitName),
    isUrlEncoded: encoding === 'url',
  };
}

/** Throws S3Error InvalidArgument for what is no whole number from 0 to 2^31 - 1. */
export function parseLimit(query: URLSearchParams, name: string): number {
  const text = query.get(name) || String(MAX_PAGE_OBJECTS);
  const limit = parseWhole(text, name);
  return Math.min(limit, MAX_PAGE_OBJECTS);
}

function parseWhole(text: string, name: string): number {
  if (/^-\d+$/.test(text)) {
    throw invalidArgument(
      `Argument ${name} must be an integer between 0 and 2147483647`,
      name,
      text,
    );
  }
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 2_147_483_647) return value;
  throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text);
}

/** Throws S3Error InvalidArgument. */
export function parsePartMarker(query: URLSearchParams): number {
  return parseWhole(query.get('part-number-marker') || '0', 'part-number-marker');
}

/** Where the next page begins, in a form that says nothing. */
export function continuationToken(after: string): string {
  return Buffer.from(after).toString('base64url');
}

/** Throws S3Error InvalidArgument for a token that is not from here. */
export function parseContinuationToken(token: string): string {
  const bytes = Buffer.from(token, 'base64url');
  const after = bytes.toString();
  if (token !== '' && bytes.toString('base64url') === token && Buffer.from(after).equals(bytes)) {
    return after;
  }
  throw invalidArgument(
    'The continuation token provided is incorrect',
    'continuation-token',
    token,
  );
}
