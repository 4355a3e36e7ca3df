import { listObjects } from '../../api/objects.ts';

/** So many are suggested; a bucket has seldom more than a few. */
const MOST = 100;

/** The prefixes that a bucket has saves under. */
export async function usedPrefixes(bucket: string, signal: AbortSignal): Promise<string[]> {
  return foldersBelow(bucket, '', '/ds/', signal);
}

/** The n that a prefix has saves under. */
export async function usedNumbers(
  bucket: string,
  prefix: string,
  signal: AbortSignal,
): Promise<number[]> {
  const numbers = await foldersBelow(bucket, `${prefix}/ds/`, '/', signal);
  return numbers.map(Number).sort((a, b) => a - b);
}

/** What objects' keys have between the prefix and the delimiter: listing is the same for saves. */
async function foldersBelow(
  bucket: string,
  prefix: string,
  delimiter: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { prefixes } = await listObjects({ bucket, prefix, delimiter, limit: MOST, signal });
  return prefixes.map((found) => found.slice(prefix.length, -delimiter.length));
}
