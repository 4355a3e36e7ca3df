import { S3Error } from './s3-error.ts';

const RESERVED_PREFIXES = ['xn--', 'sthree-', 'amzn-s3-demo-'];
const RESERVED_SUFFIXES = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'];

/**
 * S3's rules for general purpose buckets: 3 to 63 of `a-z`, `0-9`, `.` and `-`, a letter or digit at
 * either end, no two dots in a row, not shaped like an IPv4 address, none of S3's reserved prefixes
 * and suffixes. Names that Keystow keeps for itself are not this function's business.
 */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
    !RESERVED_SUFFIXES.some((suffix) => name.endsWith(suffix))
  );
}

/** Throws S3Error InvalidBucketName. */
export function checkBucketName(name: string): void {
  if (!isBucketName(name)) {
    throw new S3Error('InvalidBucketName', { extra: [['BucketName', name]] });
  }
}
