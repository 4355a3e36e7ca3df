/**
 * One at a time per key, in the order of arrival. Writers that read first would otherwise repeat
 * their work for each other: of n at once all but one would find the version changed.
 */
export function createKeyLock() {
  const last = new Map<string, Promise<unknown>>();

  return async function withLock<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = last.get(key);
    const mine = before ? before.then(work, work) : work();
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
