import { createHash } from 'node:crypto';
import { ALGORITHM_V4, credentialScope } from './credential.ts';
import { headerValues, type RawRequest } from './raw-request.ts';
import type { CredentialScope, ToSign } from './signature.ts';
import {
  type ByteText,
  decodePercent,
  queryParameters,
  uriEncode,
  uriEncodePath,
} from './uri-encoding.ts';

/** The SHA-256 of no bytes, in hex. */
export const EMPTY_PAYLOAD_HASH =
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface SigningFacts {
  /** As listed in the request: lower case, sorted by the client. */
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
  readonly amzDate: string;
  readonly scope: CredentialScope;
}

/**
 * What version 4 signs of a request. S3 takes the path as it was sent; some clients send it less
 * encoded than they sign it (`$` for `%24`), so the path in its canonical encoding comes second.
 */
export function toSignV4(request: RawRequest, facts: SigningFacts): [ToSign, ...ToSign[]] {
  const path = request.rawPath === '' ? '/' : request.rawPath;
  const canonicalPath = uriEncodePath(decodePercent(path));
  const asSent = toSignPath(request, path, facts);
  return canonicalPath === path ? [asSent] : [asSent, toSignPath(request, canonicalPath, facts)];
}

function toSignPath(request: RawRequest, path: ByteText, facts: SigningFacts): ToSign {
  const canonicalRequest = [
    request.method,
    path,
    canonicalQuery(request.rawQuery),
    canonicalHeaders(request, facts.signedHeaders),
    facts.signedHeaders.join(';'),
    facts.payloadHash,
  ].join('\n');
  const hash = createHash('sha256').update(canonicalRequest, 'latin1').digest('hex');
  const stringToSign = [ALGORITHM_V4, facts.amzDate, credentialScope(facts.scope), hash].join('\n');
  return { stringToSign, canonicalRequest };
}

/** The query in canonical encoding, sorted by name and then by value, without its signature. */
export function canonicalQuery(rawQuery: ByteText): string {
  return queryParameters(rawQuery)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]): [string, string] => [uriEncode(name), uriEncode(value)])
    .sort(([leftName, left], [rightName, right]) =>
      leftName === rightName ? compare(left, right) : compare(leftName, rightName),
    )
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** One line for each name: the values trimmed, runs of spaces made one, repeated headers joined. */
function canonicalHeaders(request: RawRequest, names: readonly string[]): ByteText {
  return names
    .map((name) => {
      const values = headerValues(request, name).map((value) =>
        value.trim().replace(/[ \t]+/g, ' '),
      );
      return `${name}:${values.join(',')}\n`;
    })
    .join('');
}
