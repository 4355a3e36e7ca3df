import { invalidAccessKeyId } from '../s3/signature.ts';
import { CommitConflict, type KvCheck, type KvMutation, type KvStore } from '../stores/kv-store.ts';
import type { Principal } from './grants.ts';
import type { SessionUpload } from './session-credentials.ts';
import { principalChanged, userCheck } from './users.ts';

/** Who sends a request: a user with a password or an access key, or nobody in particular. */
export interface Caller {
  readonly principal?: Principal;
  /** The access key that signed; its record must be the same at a write. */
  readonly accessKey?: { readonly id: string; readonly check: KvCheck };
  /** Session credentials: all that they are good for. */
  readonly upload?: SessionUpload;
  /** For the log. */
  readonly requestId?: string | undefined;
}

export const ANONYMOUS: Caller = {};

/**
 * Writes as `caller`: a user or an access key that was changed meanwhile writes nothing. Resolves
 * with the first number, or with the key of another check that did not hold.
 * Rejects as `KvStore.commit` does, with `unauthenticated` or S3Error InvalidAccessKeyId.
 */
export function commitAs(
  store: KvStore,
  { principal, accessKey }: Caller,
  checks: readonly KvCheck[],
  mutations: readonly KvMutation[],
): Promise<number | { readonly conflict: string }> {
  const author = principal && userCheck(principal);
  const all = [...checks, ...(author ? [author] : []), ...(accessKey ? [accessKey.check] : [])];
  return store.commit(all, mutations).catch((error: unknown) => {
    if (!(error instanceof CommitConflict)) throw error;
    if (principal && error.key === author?.key) throw principalChanged(principal);
    if (accessKey && error.key === accessKey.check.key) throw invalidAccessKeyId(accessKey.id);
    return { conflict: error.key };
  });
}
