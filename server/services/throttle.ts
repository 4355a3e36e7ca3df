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
  /**
   * Before a password is verified. Rejects with `too-many-requests` after too many failures, and with
   * `unavailable` where the address has as many attempts under way as it may fail.
   */
  admit(address: string, userName: string): Promise<Attempt>;
}

/** One of the two is called when the verdict is there. */
export interface Attempt {
  /** The password was right, or could not be verified. */
  forgive(): Promise<void>;
  fail(): Promise<void>;
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
  const underWay = new Map<string, number>();

  function count(source: string, change: 1 | -1): void {
    const attempts = (underWay.get(source) ?? 0) + change;
    if (attempts === 0) underWay.delete(source);
    else underWay.set(source, attempts);
  }

  return {
    async admit(address, userName) {
      const source = sourceOf(address);
      const failures = await perAddress.get(source);
      if (failures && failures.consumedPoints >= MAX_FAILURES_PER_ADDRESS) throw tooMany(failures);
      // Many users may share an address and begin together, so these are no failures yet.
      const attempts = (failures?.consumedPoints ?? 0) + (underWay.get(source) ?? 0);
      if (attempts >= MAX_FAILURES_PER_ADDRESS) throw tooManyUnderWay();
      count(source, 1);
      try {
        // Counted now, so that guesses at one time count as those one after the other do.
        await perUser.consume(`${source} ${userName}`);
      } catch (error) {
        count(source, -1);
        throw error instanceof RateLimiterRes ? tooMany(error) : error;
      }
      return {
        async forgive() {
          count(source, -1);
          await perUser.reward(`${source} ${userName}`);
        },
        async fail() {
          count(source, -1);
          await perAddress.penalty(source);
        },
      };
    },
  };
}

function tooManyUnderWay(): KeystowError {
  return new KeystowError('unavailable', 'Too many passwords are being verified: try again.', {
    headers: { 'Retry-After': '5' },
  });
}

function tooMany({ msBeforeNext }: RateLimiterRes): KeystowError {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  return new KeystowError(
    'too-many-requests',
    `Too many failed attempts from your address: wait ${seconds} s and check the password.`,
    { headers: { 'Retry-After': String(seconds) } },
  );
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
