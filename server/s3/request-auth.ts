import { ALGORITHM_V4 } from './credential.ts';
import { firstHeader, type RawRequest } from './raw-request.ts';
import { type ErrorMember, invalidArgument, S3Error } from './s3-error.ts';
import type { ClaimV2, RequestClaimV4 } from './signature.ts';
import { parseHeaderV2, parseQueryV2 } from './signature-v2.ts';
import { parseHeaderV4, parseQueryV4 } from './signature-v4.ts';
import { bytesToShownText, queryParameters } from './uri-encoding.ts';

/**
 * What a request claims with an AWS signature in its header or query; undefined for one that has
 * none (anonymous, or Basic credentials). `now` in milliseconds. The claim still has to be verified
 * with the secret of its access key: see verifySignature.
 *
 * Throws S3Error for credentials that no secret could make right, for a clock off by more than 15
 * minutes and for a URL that has expired.
 */
export function parseRequestAuth(
  request: RawRequest,
  now: number,
): ClaimV2 | RequestClaimV4 | undefined {
  const authorization = firstHeader(request, 'authorization')?.trim() ?? '';
  const query = firstValues(request);
  const signedQuery = query.has('X-Amz-Algorithm')
    ? 'v4'
    : query.has('Signature')
      ? 'v2'
      : undefined;
  const [scheme = ''] = authorization.split(' ', 1);
  // A browser adds Basic credentials by itself, to a presigned URL too: they do not count beside one.
  if (authorization === '' || scheme.toLowerCase() === 'basic') {
    if (signedQuery === 'v4' && query.has('Signature')) throw twoMechanisms();
    if (signedQuery === 'v4') return parseQueryV4(request, query, now);
    if (signedQuery === 'v2') return parseQueryV2(request, query, now);
    return undefined;
  }
  if (signedQuery !== undefined) throw twoMechanisms(authorization);
  const rest = authorization.slice(scheme.length + 1);
  switch (scheme.toUpperCase()) {
    case ALGORITHM_V4:
      return parseHeaderV4(request, checkOneSpace(rest, authorization), now);
    case 'AWS':
      return parseHeaderV2(request, checkOneSpace(rest, authorization), now);
    default:
      throw invalidArgument('Unsupported Authorization Type', 'Authorization', authorization);
  }
}

function firstValues(request: RawRequest): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of queryParameters(request.rawQuery)) {
    if (!values.has(name)) values.set(name, bytesToShownText(value));
  }
  return values;
}

function checkOneSpace(rest: string, authorization: string): string {
  if (rest !== '') return rest;
  throw invalidArgument(
    "Authorization header is invalid -- one and only one ' ' (space) required",
    'Authorization',
    authorization,
  );
}

function twoMechanisms(authorization?: string): S3Error {
  const extra: ErrorMember[] = [['ArgumentName', 'Authorization']];
  if (authorization !== undefined) extra.push(['ArgumentValue', authorization]);
  return new S3Error('InvalidArgument', {
    message:
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    extra,
  });
}
