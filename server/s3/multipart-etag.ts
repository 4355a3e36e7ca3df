import { createHash } from 'node:crypto';

/**
 * The ETag of an object made of parts, without its quotes: the MD5 of the parts' MD5s one behind
 * another, in hex as `md5s` are, then a dash and how many there are.
 */
export function multipartEtag(md5s: readonly string[]): string {
  const hash = createHash('md5');
  for (const md5 of md5s) hash.update(md5, 'hex');
  return `${hash.digest('hex')}-${md5s.length}`;
}
