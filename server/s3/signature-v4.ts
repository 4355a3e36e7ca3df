import { toSignV4, UNSIGNED_PAYLOAD } from './canonical-request.ts';
import { checkClockSkew, MAX_CLOCK_SKEW_MS, missingDate } from './clock-skew.ts';
import { ALGORITHM_V4, parseCredential } from './credential.ts';
import { firstHeader, headerNames, type RawRequest } from './raw-request.ts';
import { invalidArgument, S3Error } from './s3-error.ts';
import type { RequestClaimV4 } from './signature.ts';
import { amzDate, isoSeconds, parseAmzDate, parseRequestTime } from './timestamps.ts';

/** The longest life of a presigned URL, in seconds: a week. */
export const MAX_PRESIGN_SECONDS = 604_800;

const QUERY_PARAMETERS = [
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-Date',
  'X-Amz-SignedHeaders',
  'X-Amz-Expires',
];

/**
 * What a request with `Authorization: AWS4-HMAC-SHA256 …` claims; `fields` is what follows the
 * scheme. Throws S3Error for a header that is malformed or a clock that is off, in S3's order.
 */
export function parseHeaderV4(request: RawRequest, fields: string, now: number): RequestClaimV4 {
  const sentDate = firstHeader(request, 'x-amz-date') ?? firstHeader(request, 'date') ?? '';
  const requestTime = parseRequestTime(sentDate);
  if (requestTime === undefined) throw missingDate();
  checkClockSkew(requestTime, now, sentDate);

  const components = new Map(
    fields.split(',').map((component) => {
      const equals = component.indexOf('=');
      return [component.slice(0, equals).trim(), component.slice(equals + 1).trim()];
    }),
  );
  const credential = components.get('Credential');
  const signedHeaders = components.get('SignedHeaders');
  const signature = components.get('Signature');
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw headerMalformed(
      'the authorization header requires three components: Credential, SignedHeaders, and Signature.',
    );
  }
  const { accessKeyId, scope } = parseCredential(credential, headerMalformed);
  const date = amzDate(requestTime);
  if (!date.startsWith(scope.date)) {
    throw headerMalformed('Invalid credential date. Date is not the same as X-Amz-Date.');
  }
  const payloadHash = firstHeader(request, 'x-amz-content-sha256');
  if (payloadHash === undefined) {
    throw new S3Error('InvalidRequest', {
      message: 'Missing required header for this request: x-amz-content-sha256',
    });
  }
  checkPayloadHash(payloadHash);
  const names = signedHeaders.split(';');
  checkHeadersSigned(request, names, []);
  return {
    version: 'v4',
    accessKeyId,
    securityToken: firstHeader(request, 'x-amz-security-token') || undefined,
    signature,
    scope,
    amzDate: date,
    payloadHash,
    toSign: toSignV4(request, { signedHeaders: names, payloadHash, amzDate: date, scope }),
  };
}

/**
 * What a presigned URL claims; `query` holds the first value of each parameter. Throws S3Error for
 * parameters that are missing or malformed, a URL that has expired or is dated ahead.
 */
export function parseQueryV4(
  request: RawRequest,
  query: ReadonlyMap<string, string>,
  now: number,
): RequestClaimV4 {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM_V4) {
    throw queryError(`X-Amz-Algorithm only supports "${ALGORITHM_V4}"`);
  }
  const [credential = '', signature = '', sentDate = '', signedHeaders = '', expires = ''] =
    QUERY_PARAMETERS.map((name) => query.get(name) ?? missingParameter());
  const requestTime = parseAmzDate(sentDate);
  if (requestTime === undefined) {
    throw queryError(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  checkPresignedTime(requestTime, expires, now);
  const { accessKeyId, scope } = parseCredential(credential, (fault) =>
    queryError(`Error parsing the X-Amz-Credential parameter; ${fault}`),
  );
  if (!sentDate.startsWith(scope.date)) {
    throw queryError(
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${sentDate.slice(0, 8)}".`,
    );
  }
  const payloadHash =
    query.get('X-Amz-Content-Sha256') ??
    firstHeader(request, 'x-amz-content-sha256') ??
    UNSIGNED_PAYLOAD;
  checkPayloadHash(payloadHash);
  const names = signedHeaders.split(';');
  // The signature covers the payload's hash without its header: S3 makes an exception for it.
  checkHeadersSigned(request, names, ['x-amz-content-sha256']);
  return {
    version: 'v4',
    accessKeyId,
    securityToken:
      query.get('X-Amz-Security-Token') ||
      firstHeader(request, 'x-amz-security-token') ||
      undefined,
    signature,
    scope,
    amzDate: sentDate,
    payloadHash,
    toSign: toSignV4(request, { signedHeaders: names, payloadHash, amzDate: sentDate, scope }),
  };
}

function checkPresignedTime(requestTime: number, expires: string, now: number): void {
  if (!/^-?\d+$/.test(expires)) throw queryError('X-Amz-Expires should be a number');
  const seconds = Number(expires);
  if (seconds < 0) throw queryError('X-Amz-Expires must be non-negative');
  if (seconds > MAX_PRESIGN_SECONDS) {
    throw queryError(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAX_PRESIGN_SECONDS} seconds`,
    );
  }
  const expiresAt = requestTime + seconds * 1_000;
  if (requestTime - now > MAX_CLOCK_SKEW_MS) {
    throw new S3Error('AccessDenied', {
      message: 'Request is not yet valid',
      extra: [
        ['X-Amz-Date', String(requestTime)],
        ['Expires', isoSeconds(expiresAt)],
        ['ServerTime', isoSeconds(now)],
      ],
    });
  }
  if (now > expiresAt) {
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      extra: [
        ['X-Amz-Expires', expires],
        ['Expires', isoSeconds(expiresAt)],
        ['ServerTime', isoSeconds(now)],
      ],
    });
  }
}

function checkPayloadHash(value: string): void {
  if (value === UNSIGNED_PAYLOAD || /^[0-9a-f]{64}$/i.test(value)) return;
  if (/^STREAMING-(AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?|UNSIGNED-PAYLOAD-TRAILER)$/.test(value))
    return;
  throw invalidArgument(
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    'x-amz-content-sha256',
    value,
  );
}

/** Without this a header could be added to a signed request: an ACL, metadata, another host. */
function checkHeadersSigned(
  request: RawRequest,
  signed: readonly string[],
  exempt: readonly string[],
): void {
  const unsigned = headerNames(request).filter(
    (name) =>
      (name === 'host' || name === 'content-md5' || name.startsWith('x-amz-')) &&
      !signed.includes(name) &&
      !exempt.includes(name),
  );
  if (unsigned.length === 0) return;
  throw new S3Error('AccessDenied', {
    message: 'There were headers present in the request which were not signed',
    extra: [['HeadersNotSigned', unsigned.join(', ')]],
  });
}

function headerMalformed(fault: string): S3Error {
  return new S3Error('AuthorizationHeaderMalformed', {
    message: `The authorization header is malformed; ${fault}`,
  });
}

function queryError(message: string): S3Error {
  return new S3Error('AuthorizationQueryParametersError', { message });
}

function missingParameter(): never {
  throw queryError(
    'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
  );
}
