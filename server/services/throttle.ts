import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { KeystowError } from '../../shared/errors.ts';
import {
  FAILURE_WINDOW_SECONDS,
  MAX_FAILURES_PER_ADDRESS,
  MAX_FAILURES_PER_USER,
} from '../../shared/limits.ts';

/**
 * Slows down whoever guesses passwords: per address and user, and per address over all users. Never
 * per user alone: that would let anybody lock a user out. The counters are bounded by the speed of
 * bcrypt: each entry of a window costs one verification.
 */
export interface Throttle {
  /** Counts an attempt before it is verified. Rejects with `too-many-requests`. */
  admit(address: string, userName: string): Promise<void>;
  /** Takes the attempt back: the password was right, or nothing was verified. */
  forgive(address: string, userName: string): Promise<void>;
}

export function createThrottle(): Throttle {
  const perUser = new RateLimiterMemory({
    keyPrefix: 'user',
    points: MAX_FAILURES_PER_USER,
    duration: FAILURE_WINDOW_SECONDS,
  });
  const perAddress = new RateLimiterMemory({
    keyPrefix: 'address',
    points: MAX_FAILURES_PER_ADDRESS,
    duration: FAILURE_WINDOW_SECONDS,
  });

  return {
    async admit(address, userName) {
      const source = sourceOf(address);
      try {
        await perUser.consume(`${source} ${userName}`);
        await perAddress.consume(source);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1_000));
        throw new KeystowError(
          'too-many-requests',
          `Too many failed attempts from your address: wait ${seconds} s and check the password.`,
          { headers: { 'Retry-After': String(seconds) } },
        );
      }
    },
    async forgive(address, userName) {
      const source = sourceOf(address);
      await perUser.delete(`${source} ${userName}`);
      await perAddress.reward(source);
    },
  };
}

/** One subscriber has a whole /64 of IPv6 (RFC 6177), so that counts as one address. */
function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('%')[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}
