/**
 * One at a time per key, in the order of arrival. Writers that read first would otherwise repeat
 * their work for each other: of n at once all but one would find the version changed.
 */
export function createKeyLock() {
  const last = new Map<string, Promise<unknown>>();

  async function withLock<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = last.get(key);
    const mine = before ? before.then(work, work) : work();
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  }

  /**
   * Once all of the keys are its own. It queues for them in one step, so that whoever waits does so
   * only for who came before: no two wait for each other.
   */
  async function withLocks<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = keys.flatMap((key) => last.get(key) ?? []);
    const mine = Promise.allSettled(before).then(work);
    for (const key of keys) last.set(key, mine);
    try {
      return await mine;
    } finally {
      for (const key of keys) if (last.get(key) === mine) last.delete(key);
    }
  }

  return Object.assign(withLock, { all: withLocks });
}

export type KeyLock = ReturnType<typeof createKeyLock>;
