import { KeystowError } from '../../../shared/errors.ts';

/** So many at a time; whoever comes then waits for a place, but not for ever. */
export interface Places {
  /** Resolves with what gives the place back. Rejects with `unavailable` after the patience. */
  take(): Promise<() => void>;
}

export function createPlaces(count: number, patienceMs: number): Places {
  let free = count;
  const waiting = new Set<() => void>();

  function giveBack(): void {
    const [next] = waiting;
    if (next) next();
    else free += 1;
  }

  return {
    take() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(giveBack);
      }
      return new Promise((resolve, reject) => {
        const begin = (): void => {
          clearTimeout(timer);
          waiting.delete(begin);
          resolve(giveBack);
        };
        const timer = setTimeout(() => {
          waiting.delete(begin);
          reject(
            new KeystowError('unavailable', 'Too many long lists are being read: try again.', {
              headers: { 'Retry-After': '5' },
            }),
          );
        }, patienceMs);
        waiting.add(begin);
      });
    },
  };
}
