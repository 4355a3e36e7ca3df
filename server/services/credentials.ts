import { hash, randomBytes } from 'node:crypto';
import { KeystowError } from '../../shared/errors.ts';
import { CACHED_CREDENTIALS_TTL_MS, MAX_CACHED_CREDENTIALS } from '../../shared/limits.ts';
import type { Principal } from './grants.ts';
import type { Passwords } from './passwords.ts';
import type { Throttle } from './throttle.ts';
import { isPassword, isUserName, toPrincipal, type Users } from './users.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Authenticator {
  /**
   * The principal of right credentials, at once where they were verified before. Rejects with `unauthenticated`, `too-many-requests` or
   * `unavailable`; a wrong password and an unknown user take the same time and say the same.
   */
  verify(credentials: Credentials, address: string): Principal | Promise<Principal>;
  /** How well the cache of verified credentials does. */
  cacheUse(): { readonly hits: number; readonly misses: number; readonly size: number };
}

interface Verified {
  readonly principal: Principal;
  readonly expires: number;
}

interface Flight {
  /** Of the cache. */
  readonly key: string;
  readonly credentials: Credentials;
  readonly address: string;
}

export function createAuthenticator(options: {
  readonly users: Users;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  /** Other nodes change users, too: what was verified is compared with the record every time. */
  readonly isShared: boolean;
  readonly now: () => number;
}): Authenticator {
  const { users, passwords, throttle, isShared, now } = options;
  // Whoever reads the cache's keys out of memory cannot try passwords against them without this.
  const cacheKey = randomBytes(32).toString('base64');
  const verified = new Map<string, Verified>();
  const pending = new Map<string, Promise<Principal>>();
  // A user's record changed: whatever was verified against the old one is out at once.
  let changes = 0;
  let hits = 0;
  let misses = 0;
  users.onChange((name) => {
    changes += 1;
    for (const [key, { principal }] of verified) {
      if (principal.name === name) verified.delete(key);
    }
  });

  async function verifyOnce(
    key: string,
    credentials: Credentials,
    address: string,
  ): Promise<Principal> {
    const isPossible = isUserName(credentials.username) && isPassword(credentials.password);
    const attempt = await throttle.admit(address, isPossible ? credentials.username : '');
    let principal: Principal | undefined;
    try {
      principal = await decide(key, credentials, isPossible);
    } catch (error) {
      await attempt.forgive();
      throw error;
    }
    if (!principal) {
      await attempt.fail();
      throw refused();
    }
    await attempt.forgive();
    return principal;
  }

  /** Undefined where the credentials are wrong; remembered where they are right. */
  async function decide(
    key: string,
    { username, password }: Credentials,
    isPossible: boolean,
  ): Promise<Principal | undefined> {
    for (;;) {
      let seen = changes;
      const user = isPossible ? await users.find(username) : undefined;
      const isRight = user
        ? await passwords.verify(password, user.passwordHash)
        : await passwords.verifyNobody(password);
      // Changed while bcrypt was at work: its verdict is about a record that is no more.
      let current = user;
      while (changes !== seen) {
        seen = changes;
        current = isPossible ? await users.find(username) : undefined;
      }
      if (current?.version !== user?.version) continue;
      if (!user || !isRight) return undefined;
      const principal = toPrincipal(user);
      remember(key, principal);
      return principal;
    }
  }

  function remember(key: string, principal: Principal): void {
    const oldest = verified.keys().next();
    if (verified.size >= MAX_CACHED_CREDENTIALS && !oldest.done) verified.delete(oldest.value);
    verified.set(key, { principal, expires: now() + CACHED_CREDENTIALS_TTL_MS });
  }

  async function isCurrent({ name, version }: Principal): Promise<boolean> {
    return (await users.find(name))?.version === version;
  }

  async function compareOrVerify(known: Principal, flight: Flight): Promise<Principal> {
    return (await isCurrent(known)) ? known : verifyTogether(flight);
  }

  /** Of connections that begin with the same credentials; an attempt from another address counts there. */
  function verifyTogether({ key, credentials, address }: Flight): Promise<Principal> {
    verified.delete(key);
    const name = `${key} ${address}`;
    const underWay = pending.get(name);
    if (underWay) return underWay;
    const verdict = verifyOnce(key, credentials, address).finally(() => pending.delete(name));
    pending.set(name, verdict);
    return verdict;
  }

  return {
    verify(credentials, address) {
      const { username, password } = credentials;
      const key = hash('sha256', cacheKey + JSON.stringify([username, password]), 'base64');
      const known = verified.get(key);
      const flight = { key, credentials, address };
      if (!known || known.expires <= now()) {
        misses += 1;
        return verifyTogether(flight);
      }
      hits += 1;
      return isShared ? compareOrVerify(known.principal, flight) : known.principal;
    },

    cacheUse: () => ({ hits, misses, size: verified.size }),
  };
}

/** The same sentence for every reason. */
export function refused(): KeystowError {
  return new KeystowError('unauthenticated', 'Wrong user name or password.');
}
