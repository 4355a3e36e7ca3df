import { checkClockSkew, missingDate } from './clock-skew.ts';
import { firstHeader, headerNames, headerValues, type RawRequest } from './raw-request.ts';
import { invalidArgument, S3Error } from './s3-error.ts';
import type { ClaimV2, ToSign } from './signature.ts';
import { isoSeconds, parseRequestTime } from './timestamps.ts';
import { type ByteText, queryParameters } from './uri-encoding.ts';

/** The parameters that name another resource than the path alone, and so are signed: by name. */
const SUBRESOURCES = new Set(
  'abac accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore retention select tagging torrent uploads versioning versions website'.split(
    ' ',
  ),
);
/** Those that are signed with their value, decoded. */
const SUBRESOURCES_WITH_VALUE = new Set(
  'partNumber response-cache-control response-content-disposition response-content-encoding response-content-language response-content-type response-expires select-type uploadId versionId'.split(
    ' ',
  ),
);

/**
 * What a request with `Authorization: AWS KEY:SIGNATURE` claims; `credentials` is what follows the
 * scheme. Throws S3Error for a header that is malformed or a clock that is off.
 */
export function parseHeaderV2(request: RawRequest, credentials: string, now: number): ClaimV2 {
  const [accessKeyId = '', signature = '', ...rest] = credentials.split(':');
  if (signature === '' || rest.length > 0) {
    throw invalidArgument(
      'AWS authorization header is invalid.  Expected AwsAccessKeyId:signature',
      'Authorization',
      `AWS ${credentials}`,
    );
  }
  const amzDate = firstHeader(request, 'x-amz-date');
  const date = firstHeader(request, 'date') ?? '';
  const requestTime = parseRequestTime(amzDate ?? date);
  if (requestTime === undefined) throw missingDate();
  checkClockSkew(requestTime, now, amzDate ?? date);
  return {
    version: 'v2',
    accessKeyId,
    securityToken: firstHeader(request, 'x-amz-security-token') || undefined,
    signature,
    // x-amz-date is signed among the x-amz- headers, and the line of Date is then empty.
    toSign: toSignV2(request, amzDate === undefined ? date : ''),
  };
}

/**
 * What a URL with `AWSAccessKeyId`, `Expires` and `Signature` claims; `query` holds the first value
 * of each parameter. Throws S3Error AccessDenied when one is missing, or once it has expired.
 */
export function parseQueryV2(
  request: RawRequest,
  query: ReadonlyMap<string, string>,
  now: number,
): ClaimV2 {
  const accessKeyId = query.get('AWSAccessKeyId');
  const expires = query.get('Expires');
  if (accessKeyId === undefined || expires === undefined) {
    throw new S3Error('AccessDenied', {
      message:
        'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    });
  }
  if (!/^\d{1,12}$/.test(expires)) {
    throw new S3Error('AccessDenied', {
      message: `Invalid date (should be seconds since epoch): ${expires}`,
    });
  }
  const expiresAt = Number(expires) * 1_000;
  if (now > expiresAt) {
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      extra: [
        ['Expires', isoSeconds(expiresAt)],
        ['ServerTime', isoSeconds(now)],
      ],
    });
  }
  return {
    version: 'v2',
    accessKeyId,
    securityToken:
      query.get('x-amz-security-token') ||
      firstHeader(request, 'x-amz-security-token') ||
      undefined,
    // A plus that the client did not encode arrives as a space.
    signature: (query.get('Signature') ?? '').replaceAll(' ', '+'),
    toSign: toSignV2(request, expires),
  };
}

/** What version 2 signs of a request; `date` is its line for the time, or `Expires`. */
export function toSignV2(request: RawRequest, date: string): [ToSign, ...ToSign[]] {
  const query = queryParameters(request.rawQuery);
  const positional = (name: string): string =>
    firstHeader(request, name) ?? query.find(([other]) => other.toLowerCase() === name)?.[1] ?? '';
  const head = [request.method, positional('content-md5'), positional('content-type'), date].join(
    '\n',
  );
  const signed = `${head}\n${canonicalAmzHeaders(request, query)}`;
  const path = resourcePath(request);
  const subresources = canonicalSubresources(query);
  const asSent = { stringToSign: `${signed}${path}${subresources}` };
  // Some clients sign `/bucket/` for the path `/bucket` (botocore for one).
  return request.hostBucket === undefined && /^\/[^/]+$/.test(path)
    ? [asSent, { stringToSign: `${signed}${path}/${subresources}` }]
    : [asSent];
}

function resourcePath({ hostBucket, rawPath }: RawRequest): ByteText {
  const path = rawPath === '' ? '/' : rawPath;
  return hostBucket === undefined ? path : `/${hostBucket}${path}`;
}

/**
 * A parameter named x-amz-… counts as the header of that name: presigned URLs carry them so. Where one
 * name is said twice both are signed: else who has the URL could add what counts in the request.
 */
function canonicalAmzHeaders(
  request: RawRequest,
  query: readonly (readonly [string, string])[],
): ByteText {
  const lines = new Map<string, string>();
  for (const name of headerNames(request)) {
    if (name.startsWith('x-amz-')) {
      lines.set(
        name,
        headerValues(request, name)
          .map((value) => value.trim())
          .join(','),
      );
    }
  }
  for (const [name, value] of query) {
    if (!/^x-amz-/i.test(name)) continue;
    const line = lines.get(name.toLowerCase());
    lines.set(
      name.toLowerCase(),
      line === undefined || line === value ? value : `${line},${value}`,
    );
  }
  return [...lines.keys()]
    .sort()
    .map((name) => `${name}:${lines.get(name)}\n`)
    .join('');
}

function canonicalSubresources(query: readonly (readonly [string, string])[]): string {
  const signed = new Map<string, string>();
  for (const [name, value] of query) {
    if (signed.has(name)) continue;
    if (SUBRESOURCES_WITH_VALUE.has(name)) signed.set(name, `${name}=${value}`);
    else if (SUBRESOURCES.has(name)) signed.set(name, name);
  }
  if (signed.size === 0) return '';
  return `?${[...signed.keys()]
    .sort()
    .map((name) => signed.get(name))
    .join('&')}`;
}
