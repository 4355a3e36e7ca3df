import { invalidArgument, S3Error } from './s3-error.ts';
import { bytesToText, decodePercent } from './uri-encoding.ts';

/** An object's key, in bytes of UTF-8. */
export const MAX_OBJECT_KEY_BYTES = 1_024;

/** Throws S3Error InvalidArgument for the empty key and for NUL, KeyTooLongError over 1,024 bytes of UTF-8. */
export function checkObjectKey(key: string): void {
  if (key === '') throw invalidArgument('User key must have a length greater than 0.', 'key', '');
  if (key.includes('\0')) throw invalidArgument('A key must not contain NUL.', 'key', key);
  const size = Buffer.byteLength(key);
  if (size > MAX_OBJECT_KEY_BYTES) {
    throw new S3Error('KeyTooLongError', {
      extra: [
        ['Size', String(size)],
        ['MaxSizeAllowed', String(MAX_OBJECT_KEY_BYTES)],
      ],
    });
  }
}

/** What a path addresses; both undefined for `/`, an empty key for the bucket itself. */
export interface S3Resource {
  readonly bucket: string | undefined;
  readonly key: string;
}

/**
 * The bucket and the key of a path that is still percent-encoded. The key is decoded once, `+` is a
 * plus, and slashes count: `/b//k` is the key `/k`. Lengths and names are not checked.
 * Throws S3Error InvalidURI for a malformed escape or bytes that are not UTF-8.
 */
export function parseResource(rawPath: string, hostBucket?: string): S3Resource {
  const path = rawPath.replace(/^\//, '');
  if (hostBucket !== undefined) return { bucket: hostBucket, key: decodeSegment(path) };
  const slash = path.indexOf('/');
  const bucket = decodeSegment(slash < 0 ? path : path.slice(0, slash));
  return {
    bucket: bucket === '' ? undefined : bucket,
    key: slash < 0 ? '' : decodeSegment(path.slice(slash + 1)),
  };
}

function decodeSegment(text: string): string {
  const decoded = /%(?![0-9a-f]{2})/i.test(text) ? undefined : bytesToText(decodePercent(text));
  if (decoded === undefined) throw new S3Error('InvalidURI', { extra: [['URI', text]] });
  return decoded;
}
