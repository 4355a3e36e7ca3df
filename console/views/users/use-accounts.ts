import { useMemo } from 'preact/hooks';
import { KeystowClientError } from '../../../shared/client/index.ts';
import { type AccessKey, listAccessKeys } from '../../api/access-keys.ts';
import type { User } from '../../api/user.ts';
import { listUsers } from '../../api/users.ts';
import { useRead } from '../../parts/use-read.ts';
import { signOut } from '../../session.ts';

export interface Accounts {
  /** Undefined until they were read once. */
  readonly users: readonly User[] | undefined;
  readonly keys: readonly AccessKey[];
  readonly keysOf: ReadonlyMap<string, readonly AccessKey[]>;
  readonly isReading: boolean;
  readonly error: unknown;
  /** Resolves once what is shown is new, or an error is. */
  readonly reload: () => Promise<void>;
}

const NO_KEYS: readonly AccessKey[] = [];
const NO_ADMIN = 'You are no admin any more: sign in again to see what your grants cover.';

/** The users and their keys. The change feed does not tell of them: they are read again after each change. */
export function useAccounts(): Accounts {
  const { value, error, isReading, reload } = useRead('accounts', readAccounts);
  const { users, keys } = value ?? { users: undefined, keys: NO_KEYS };
  const keysOf = useMemo(() => groupByUser(keys), [keys]);
  return { users, keys, keysOf, isReading, error, reload };
}

async function readAccounts(signal: AbortSignal) {
  try {
    const [users, keys] = await Promise.all([listUsers(signal), listAccessKeys(signal)]);
    return { users, keys };
  } catch (error) {
    if (error instanceof KeystowClientError && error.code === 'forbidden') signOut(NO_ADMIN);
    throw error;
  }
}

function groupByUser(keys: readonly AccessKey[]): ReadonlyMap<string, readonly AccessKey[]> {
  const groups = new Map<string, AccessKey[]>();
  for (const key of keys) {
    const group = groups.get(key.user);
    if (group) group.push(key);
    else groups.set(key.user, [key]);
  }
  return groups;
}
