/** Where a bucket and an object lie on this server. */

export function bucketPath(bucket: string): string {
  return `/${encodeURIComponent(bucket)}`;
}

/**
 * Browsers resolve `.` and `..` between slashes, in whatever way they are written (URL Standard, 4.4): then all
 * is one segment. Undefined for a key or a bucket that is nothing else: no URL can name it.
 */
export function objectPath(bucket: string, key: string): string | undefined {
  const segments = key.split('/').map(encodeURIComponent);
  if (isDots(bucket) || (segments.length === 1 && isDots(key))) return undefined;
  return `${bucketPath(bucket)}/${segments.join(segments.some(isDots) ? '%2F' : '/')}`;
}

/** The key of the object of this bucket that the change feed names, or undefined. */
export function keyOfUrl(url: string, bucket: string): string | undefined {
  const within = `${bucketPath(bucket)}/`;
  if (!url.startsWith(within)) return undefined;
  try {
    return decodeURIComponent(url.slice(within.length));
  } catch {
    return undefined;
  }
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}
