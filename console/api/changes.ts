import type { ChangePage } from '../../shared/changes.ts';
import { withQuery } from '../../shared/client/paths.ts';
import { jsonOf } from '../../shared/client/transport.ts';
import { current } from '../session.ts';

/**
 * After `since`, or from the oldest that is kept. Rejects with `gone`, and the oldest number that works, where the log does not
 * reach back so far.
 */
export async function readChanges(
  { since, prefix, limit }: { since: number | undefined; prefix: string; limit: number },
  signal: AbortSignal,
): Promise<ChangePage> {
  const query = { since, limit, prefix: prefix || undefined };
  const path = withQuery('/api/changes', query);
  return jsonOf(await current().request({ method: 'GET', path, signal }));
}
