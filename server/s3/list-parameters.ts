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

const MAX_BUCKETS = 10_000;

export interface BucketListParameters {
  readonly prefix: string;
  readonly limit: number;
  /** The last bucket of the page before. */
  readonly after: string | undefined;
  readonly region: string | undefined;
}

/** Of ListBuckets. Throws S3Error InvalidArgument. */
export function parseBucketListParameters(query: URLSearchParams): BucketListParameters {
  const text = query.get('max-buckets') || String(MAX_BUCKETS);
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_BUCKETS) {
    throw invalidArgument(
      `Argument max-buckets must be an integer between 1 and ${MAX_BUCKETS}.`,
      'max-buckets',
      text,
    );
  }
  const token = query.get('continuation-token');
  return {
    prefix: query.get('prefix') ?? '',
    limit,
    after: token === null ? undefined : parseContinuationToken(token),
    region: query.get('bucket-region') || undefined,
  };
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
