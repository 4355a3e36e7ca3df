import { S3Error } from './s3-error.ts';
import { parseRequestTime } from './timestamps.ts';

/** What a request for an object relies on: RFC 9110, section 13. Names in lower case. */
export interface ConditionalHeaders {
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-modified-since'?: string | undefined;
  readonly 'if-unmodified-since'?: string | undefined;
  readonly 'if-range'?: string | undefined;
}

/** What the object is: its ETag without quotes, its last write in milliseconds since 1970. */
export interface Validators {
  readonly etag: string;
  readonly lastModified: number;
}

/**
 * True where the client has the object already (304). The order is that of RFC 9110, section 13.2.2:
 * an ETag counts more than a date. Throws S3Error PreconditionFailed with the condition.
 */
export function isNotModified(headers: ConditionalHeaders, object: Validators): boolean {
  const {
    'if-match': match,
    'if-none-match': noneMatch,
    'if-unmodified-since': unmodifiedSince,
    'if-modified-since': modifiedSince,
  } = headers;
  if (match !== undefined) {
    if (!listsEtag(match, object.etag)) throw conditionFailed('If-Match');
  } else if (isAfter(object, unmodifiedSince)) throw conditionFailed('If-Unmodified-Since');
  if (noneMatch !== undefined) return listsEtag(noneMatch, object.etag);
  return modifiedSince !== undefined && isAfter(object, modifiedSince) === false;
}

/** False where `If-Range` names another state of the object: then the whole is sent. */
export function isRangeApplicable(headers: ConditionalHeaders, object: Validators): boolean {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  const time = parseRequestTime(condition);
  if (time !== undefined) return seconds(object.lastModified) === seconds(time);
  return listsEtag(condition, object.etag);
}

/** Clients send ETags with and without quotes, S3 takes both. */
export function listsEtag(list: string, etag: string): boolean {
  return list
    .split(',')
    .map((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, '$1'))
    .some((tag) => tag === '*' || tag === etag);
}

/** Undefined without a date that can be read: such a header counts as absent. */
function isAfter({ lastModified }: Validators, date: string | undefined): boolean | undefined {
  const time = date === undefined ? undefined : parseRequestTime(date);
  return time === undefined ? undefined : seconds(lastModified) > seconds(time);
}

/** HTTP's dates have whole seconds. */
function seconds(time: number): number {
  return Math.floor(time / 1_000);
}

export function conditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', { extra: [['Condition', condition]] });
}
