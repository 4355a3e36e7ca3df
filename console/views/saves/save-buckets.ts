import { jsonOf } from '../../../shared/client/transport.ts';
import { current } from '../../session.ts';

export interface SaveBucket {
  readonly name: string;
  /** The prefix of its saves where none is named. */
  readonly savePrefix?: string;
  /** So many versions of a slot are kept; all of them without it. */
  readonly keepVersions?: number;
}

/** Those with saves that the user's grants cover something of. */
export async function listSaveBuckets(signal: AbortSignal): Promise<SaveBucket[]> {
  const answer = await current().request({ method: 'GET', path: '/api/buckets', signal });
  const buckets: (SaveBucket & { readonly saves?: boolean })[] = jsonOf(answer);
  return buckets.filter(({ saves }) => saves);
}
