import { withQuery } from '../../../shared/client/paths.ts';
import { jsonOf } from '../../../shared/client/transport.ts';
import { current } from '../../session.ts';

/** So many are suggested; a bucket has seldom more than a few. */
const MOST = '100';

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
  const root = `/api/objects/${encodeURIComponent(bucket)}`;
  const path = withQuery(root, { prefix, delimiter, limit: MOST });
  const { prefixes }: { prefixes: string[] } = jsonOf(
    await current().request({ method: 'GET', path, signal }),
  );
  return prefixes.map((found) => found.slice(prefix.length, -delimiter.length));
}
