import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { type ErrorMember, S3Error } from './s3-error.ts';
import { type ByteText, bytesToShownText } from './uri-encoding.ts';

/** What a signature of version 4 is valid for. */
export interface CredentialScope {
  /** `20130524`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** What was signed, if the signature is right. */
export interface ToSign {
  readonly stringToSign: ByteText;
  /** Only requests of version 4 have one. */
  readonly canonicalRequest?: ByteText;
}

interface Claim {
  /** Whose secret has to be looked up. Not verified yet. */
  readonly accessKeyId: string;
  /** Of session credentials; undefined when absent or empty. */
  readonly securityToken: string | undefined;
  /** As the client sent it. */
  readonly signature: string;
  /** The signature is right if it fits any of these: clients encode one path in different ways. */
  readonly toSign: readonly [ToSign, ...ToSign[]];
}

export interface ClaimV2 extends Claim {
  readonly version: 'v2';
}

export interface ClaimV4 extends Claim {
  readonly version: 'v4';
  readonly scope: CredentialScope;
}

/** A request (not a form) of version 4. */
export interface RequestClaimV4 extends ClaimV4 {
  /** `20130524T000000Z`: chunk signatures need it. */
  readonly amzDate: string;
  /** `x-amz-content-sha256`: the body's SHA-256 in hex, `UNSIGNED-PAYLOAD` or `STREAMING-…`. */
  readonly payloadHash: string;
}

/** HMAC-SHA1 in base64, the signature of version 2. */
export function signV2(secretAccessKey: string, stringToSign: ByteText): string {
  return createHmac('sha1', secretAccessKey).update(stringToSign, 'latin1').digest('base64');
}

/** The key that signs for one day, region and service. */
export function signingKeyV4(secretAccessKey: string, scope: CredentialScope): Buffer {
  const dateKey = hmac(`AWS4${secretAccessKey}`, scope.date);
  const regionKey = hmac(dateKey, scope.region);
  const serviceKey = hmac(regionKey, scope.service);
  return hmac(serviceKey, 'aws4_request');
}

/** HMAC-SHA256 in hex, the signature of version 4. */
export function signV4(signingKey: Buffer, stringToSign: ByteText): string {
  return createHmac('sha256', signingKey).update(stringToSign, 'latin1').digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/**
 * The keys of one secret. The last one is kept: a client signs with that of its day and region all day.
 */
export function createSigningKeys(secretAccessKey: string): (scope: CredentialScope) => Buffer {
  let last: { readonly scope: CredentialScope; readonly key: Buffer } | undefined;
  return (scope) => {
    if (!last || !isSameScope(last.scope, scope)) {
      last = { scope, key: signingKeyV4(secretAccessKey, scope) };
    }
    return last.key;
  };
}

function isSameScope(one: CredentialScope, other: CredentialScope): boolean {
  return one.date === other.date && one.region === other.region && one.service === other.service;
}

/** Throws S3Error SignatureDoesNotMatch unless the claim is signed with this secret. */
export function verifySignature(
  claim: ClaimV2 | ClaimV4,
  secretAccessKey: string,
  signingKeys = createSigningKeys(secretAccessKey),
): void {
  const key = claim.version === 'v4' ? signingKeys(claim.scope) : undefined;
  const fits = claim.toSign.some(({ stringToSign }) =>
    isSameText(
      key ? signV4(key, stringToSign) : signV2(secretAccessKey, stringToSign),
      claim.signature,
    ),
  );
  if (!fits) throw signatureDoesNotMatch(claim);
}

/** Compares in a time that depends on neither text, even when their lengths differ. */
export function isSameText(left: string, right: string): boolean {
  return timingSafeEqual(hash('sha256', left, 'buffer'), hash('sha256', right, 'buffer'));
}

function signatureDoesNotMatch(claim: ClaimV2 | ClaimV4): S3Error {
  const [{ stringToSign, canonicalRequest }] = claim.toSign;
  const extra: ErrorMember[] = [
    ['AWSAccessKeyId', claim.accessKeyId],
    ['StringToSign', bytesToShownText(stringToSign)],
    ['SignatureProvided', claim.signature],
    ['StringToSignBytes', hexBytes(stringToSign)],
  ];
  if (canonicalRequest !== undefined) {
    extra.push(
      ['CanonicalRequest', bytesToShownText(canonicalRequest)],
      ['CanonicalRequestBytes', hexBytes(canonicalRequest)],
    );
  }
  return new S3Error('SignatureDoesNotMatch', { extra });
}

function hexBytes(bytes: ByteText): string {
  return Buffer.from(bytes, 'latin1')
    .toString('hex')
    .replace(/..(?!$)/g, '$& ');
}

/** The access key that a claim names does not exist. */
export function invalidAccessKeyId(accessKeyId: string): S3Error {
  return new S3Error('InvalidAccessKeyId', { extra: [['AWSAccessKeyId', accessKeyId]] });
}
