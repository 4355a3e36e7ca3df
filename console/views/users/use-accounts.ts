import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { KeystowClientError } from '../../../shared/client/index.ts';
import { type AccessKey, listAccessKeys } from '../../api/access-keys.ts';
import type { User } from '../../api/user.ts';
import { listUsers } from '../../api/users.ts';
import { signOut } from '../../session.ts';

export interface Accounts {
  /** Undefined until they were read once. */
  readonly users: readonly User[] | undefined;
  readonly keys: readonly AccessKey[];
  readonly keysOf: ReadonlyMap<string, readonly AccessKey[]>;
  readonly isLoading: boolean;
  readonly error: unknown;
  /** Resolves once what is shown is new, or an error is. */
  readonly reload: () => Promise<void>;
}

const NO_ADMIN = 'You are no admin any more: sign in again to see what your grants cover.';

/** The users and their keys. The change feed does not tell of them: they are read again after each change. */
export function useAccounts(): Accounts {
  const [users, setUsers] = useState<readonly User[]>();
  const [keys, setKeys] = useState<readonly AccessKey[]>([]);
  const [isLoading, setLoading] = useState(false);
  const [error, setError] = useState<unknown>();
  const reading = useRef<AbortController>(undefined);

  const reload = useCallback(async (): Promise<void> => {
    reading.current?.abort();
    const own = new AbortController();
    reading.current = own;
    setLoading(true);
    try {
      const read = await Promise.all([listUsers(own.signal), listAccessKeys(own.signal)]);
      if (own.signal.aborted) return;
      setUsers(read[0]);
      setKeys(read[1]);
      setError(undefined);
    } catch (reason) {
      if (own.signal.aborted) return;
      if (reason instanceof KeystowClientError && reason.code === 'forbidden') signOut(NO_ADMIN);
      else setError(reason);
    }
    setLoading(false);
  }, []);

  useEffect(() => {
    void reload();
    return () => reading.current?.abort();
  }, []);

  const keysOf = useMemo(() => groupByUser(keys), [keys]);
  return { users, keys, keysOf, isLoading, error, reload };
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
