import { canonicalQuery, toSignV4, UNSIGNED_PAYLOAD } from './canonical-request.ts';
import { ALGORITHM_V4, credentialScope, SERVICE } from './credential.ts';
import { headerNames, type RawRequest } from './raw-request.ts';
import { type CredentialScope, signingKeyV4, signV2, signV4 } from './signature.ts';
import { toSignV2 } from './signature-v2.ts';
import { MAX_PRESIGN_SECONDS } from './signature-v4.ts';
import { amzDate } from './timestamps.ts';
import { textToBytes, uriEncode, uriEncodePath } from './uri-encoding.ts';

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly securityToken?: string | undefined;
}

/** The path of a key, percent-encoded as S3 signs it: `/a b` becomes `/a%20b`. */
export function encodePath(path: string): string {
  return uriEncodePath(textToBytes(path));
}

/** The scope in which Keystow signs at a time (milliseconds) for a region. */
export function scopeAt(now: number, region: string): CredentialScope {
  return { date: amzDate(now).slice(0, 8), region, service: SERVICE };
}

/**
 * The headers to add to a request that version 4 signs with all its headers, Host among them.
 * `payloadHash` is the SHA-256 of the body in hex, or UNSIGNED-PAYLOAD.
 */
export function signRequestV4(
  request: RawRequest,
  credentials: SigningCredentials,
  options: { region: string; now: number; payloadHash: string },
): [name: string, value: string][] {
  const { accessKeyId, secretAccessKey, securityToken } = credentials;
  const date = amzDate(options.now);
  const scope = scopeAt(options.now, options.region);
  const added: [string, string][] = [
    ['x-amz-date', date],
    ['x-amz-content-sha256', options.payloadHash],
    ...tokenPair('x-amz-security-token', securityToken),
  ];
  const signed = { ...request, headers: [...request.headers, ...added] };
  const signedHeaders = headerNames(signed);
  const { payloadHash } = options;
  const [{ stringToSign }] = toSignV4(signed, { signedHeaders, payloadHash, amzDate: date, scope });
  const signature = signV4(signingKeyV4(secretAccessKey, scope), stringToSign);
  const authorization = `${ALGORITHM_V4} Credential=${accessKeyId}/${credentialScope(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return [...added, ['authorization', authorization]];
}

/**
 * The query of a URL that lets anyone send the request for `expiresIn` seconds, signed with version
 * 4. The request must carry Host, and whoever sends it all the headers given here. The path must be
 * encoded as encodePath does. Throws a RangeError unless `expiresIn` is 1 to 604,800.
 */
export function presignV4(
  request: RawRequest,
  credentials: SigningCredentials,
  options: { region: string; now: number; expiresIn: number },
): string {
  const { expiresIn, now, region } = options;
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > MAX_PRESIGN_SECONDS) {
    throw new RangeError(
      `expiresIn must be 1 to ${MAX_PRESIGN_SECONDS} seconds, not ${expiresIn}.`,
    );
  }
  const { accessKeyId, secretAccessKey, securityToken } = credentials;
  const date = amzDate(now);
  const scope = scopeAt(now, region);
  const signedHeaders = headerNames(request);
  const rawQuery = canonicalQuery(
    joinQuery(request.rawQuery, [
      ['X-Amz-Algorithm', ALGORITHM_V4],
      ['X-Amz-Credential', `${accessKeyId}/${credentialScope(scope)}`],
      ['X-Amz-Date', date],
      ['X-Amz-Expires', String(expiresIn)],
      ...tokenPair('X-Amz-Security-Token', securityToken),
      ['X-Amz-SignedHeaders', signedHeaders.join(';')],
    ]),
  );
  const [{ stringToSign }] = toSignV4(
    { ...request, rawQuery },
    { signedHeaders, payloadHash: UNSIGNED_PAYLOAD, amzDate: date, scope },
  );
  return `${rawQuery}&X-Amz-Signature=${signV4(signingKeyV4(secretAccessKey, scope), stringToSign)}`;
}

/** The header that signs a request with version 2; it must carry Date or x-amz-date. */
export function signRequestV2(request: RawRequest, credentials: SigningCredentials): string {
  const dated = request.headers.find(([name]) => name.toLowerCase() === 'date')?.[1] ?? '';
  const [{ stringToSign }] = toSignV2(
    request,
    headerNames(request).includes('x-amz-date') ? '' : dated,
  );
  return `AWS ${credentials.accessKeyId}:${signV2(credentials.secretAccessKey, stringToSign)}`;
}

/** The query of a URL signed with version 2, valid until `expiresAt` (milliseconds). */
export function presignV2(
  request: RawRequest,
  credentials: SigningCredentials,
  options: { expiresAt: number },
): string {
  const { accessKeyId, secretAccessKey, securityToken } = credentials;
  const expires = String(Math.floor(options.expiresAt / 1_000));
  const rawQuery = joinQuery(request.rawQuery, [
    ...tokenPair('x-amz-security-token', securityToken),
    ['AWSAccessKeyId', accessKeyId],
    ['Expires', expires],
  ]);
  const [{ stringToSign }] = toSignV2({ ...request, rawQuery }, expires);
  return joinQuery(rawQuery, [['Signature', signV2(secretAccessKey, stringToSign)]]);
}

function tokenPair(name: string, token: string | undefined): [string, string][] {
  return token === undefined ? [] : [[name, token]];
}

function joinQuery(rawQuery: string, added: readonly (readonly [string, string])[]): string {
  const pairs = added.map(([name, value]) => `${name}=${uriEncode(textToBytes(value))}`);
  return [...(rawQuery === '' ? [] : [rawQuery]), ...pairs].join('&');
}
