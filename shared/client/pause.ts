/** Waits; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * How long to wait before the next attempt, in milliseconds: twice as long each time, and at random, so
 * that clients that lost one server do not come back at once.
 */
export function backoff(attempt: number, longestMs: number): number {
  const longest = Math.min(longestMs, 250 * 2 ** attempt);
  return longest / 2 + (Math.random() * longest) / 2;
}
