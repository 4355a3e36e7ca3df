import { z } from 'zod';
import { KeystowError } from '../../shared/errors.ts';
import {
  MAX_GRANT_PREFIX_BYTES,
  MAX_GRANTS,
  MAX_PASSWORD_BYTES,
  MAX_USER_NAME_CHARS,
} from '../../shared/limits.ts';
import {
  CommitConflict,
  DamagedEntry,
  type KvCheck,
  type KvEntry,
  type KvMutation,
  type KvStore,
} from '../stores/kv-store.ts';
import { ACCESS_KEY_PREFIX, readKeyList } from './access-key-records.ts';
import type { Grant, Principal, Role } from './grants.ts';
import { onceFor } from './once-for.ts';
import type { Passwords } from './passwords.ts';

/** The users: one record each, with the bcrypt hash of the password. */

export type User = Readonly<z.infer<typeof userAnswer>>;

export interface StoredUser extends User {
  readonly passwordHash: string;
  readonly version: number;
}

export type UserInput = z.infer<typeof userInput>;

export interface Users {
  find(name: string): Promise<StoredUser | undefined>;
  /** All of them, by name in byte order. */
  list(): Promise<User[]>;
  /** Creates or replaces; a present user keeps the password and the grants that are not given. */
  put(name: string, input: UserInput, by?: Principal): Promise<{ user: User; isNew: boolean }>;
  /** Creates an admin; false where somebody else has made a user of that name. */
  createAdmin(name: string, password: string): Promise<boolean>;
  /** Removes the user's access keys too. Rejects with `not-found`, or `conflict` for the last admin. */
  remove(name: string, by?: Principal): Promise<void>;
  /** Called with the name once a change is on disk, before its request is answered. */
  onChange(listener: (name: string) => void): void;
}

const role = z.enum(['admin', 'member']).meta({
  description: 'An admin may do everything, a member what the grants allow.',
});

const grant = z
  .strictObject({
    prefix: z
      .string()
      .refine((prefix) => prefix.isWellFormed() && !prefix.includes('\0'), {
        error: 'must be well-formed text without NUL',
      })
      .refine((prefix) => Buffer.byteLength(prefix) <= MAX_GRANT_PREFIX_BYTES, {
        error: `must have at most ${MAX_GRANT_PREFIX_BYTES} bytes`,
      })
      .meta({
        maxLength: MAX_GRANT_PREFIX_BYTES,
        description: `What \`data/KEY\` or \`BUCKET/KEY\` begins with, at most ${MAX_GRANT_PREFIX_BYTES} bytes of UTF-8.`,
      }),
    access: z.enum(['read', 'write']).meta({ description: 'Write includes read.' }),
  })
  .meta({ id: 'Grant' });

/** The body of `PUT /api/users/:name`. */
export const userInput = z
  .strictObject({
    password: z
      .string()
      .refine(isPassword, {
        error: `must have 1 to ${MAX_PASSWORD_BYTES} bytes of UTF-8, none NUL`,
      })
      .meta({
        minLength: 1,
        maxLength: MAX_PASSWORD_BYTES,
        description: `1 to ${MAX_PASSWORD_BYTES} bytes of UTF-8. A new user needs one, a present one keeps the old one.`,
      })
      .optional(),
    role,
    grants: z
      .array(grant)
      .max(MAX_GRANTS)
      .optional()
      .meta({ description: 'A present user keeps those that it has unless some are given.' }),
  })
  .meta({ id: 'UserInput' });

/** A user as answers show one. */
export const userAnswer = z
  .strictObject({ name: z.string(), role, grants: z.array(grant) })
  .meta({ id: 'User' });

export const USER_PREFIX = 'user/';
const absent = { user: undefined, check: { key: USER_PREFIX, version: null } };

/** The user whose record a key of the store is. */
export function userOfKey(key: string): string | undefined {
  return key.startsWith(USER_PREFIX) ? key.slice(USER_PREFIX.length) : undefined;
}

export const USER_NAME_RULE = `has 1 to ${MAX_USER_NAME_CHARS} characters, none of them a colon or a control character`;

export function isUserName(name: string): boolean {
  const chars = [...name].length;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the contract's own definition of a name.
  return name.isWellFormed() && chars <= MAX_USER_NAME_CHARS && /^[^:\x00-\x1f]+$/u.test(name);
}

/** bcrypt reads no more than 72 bytes, and repeats a password that NUL ends. */
export function isPassword(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return text.isWellFormed() && bytes >= 1 && bytes <= MAX_PASSWORD_BYTES && !text.includes('\0');
}

/** The check that the user's record is still the one that was read. */
export function userCheck({ name, version }: { name: string; version: number }): KvCheck {
  return { key: USER_PREFIX + name, version };
}

export function toPrincipal({ name, role, grants, version }: StoredUser): Principal {
  return { name, role, grants, version };
}

/** What a commit whose `userCheck` failed is answered with. */
export function principalChanged(principal: Principal): KeystowError {
  return new KeystowError(
    'unauthenticated',
    `The user ${principal.name} was changed meanwhile and nothing was stored: send the request again.`,
  );
}

export function createUsers(store: KvStore, passwords: Passwords): Users {
  const listeners: ((name: string) => void)[] = [];

  async function find(name: string): Promise<StoredUser | undefined> {
    const entry = await store.get(USER_PREFIX + name);
    return entry && userOf(entry);
  }

  /** For writing: a record that is damaged can be replaced and removed. */
  async function readForUpdate(
    name: string,
  ): Promise<{ user: StoredUser | undefined; check: KvCheck }> {
    const key = USER_PREFIX + name;
    try {
      const user = await find(name);
      return { user, check: { key, version: user?.version ?? null } };
    } catch (error) {
      if (!(error instanceof DamagedEntry)) throw error;
      return { user: undefined, check: { key, version: 'damaged' } };
    }
  }

  async function allUsers(): Promise<StoredUser[]> {
    const users: StoredUser[] = [];
    for await (const page of store.range({ prefix: USER_PREFIX }))
      users.push(...page.map(parseUser));
    return users;
  }

  /** What holds the rule that an admin is left: another admin, who must still be one. */
  async function otherAdminCheck(name: string): Promise<KvCheck> {
    const other = (await allUsers()).find((user) => user.role === 'admin' && user.name !== name);
    if (!other) {
      throw new KeystowError(
        'conflict',
        `${name} is the last admin: make another user an admin first.`,
      );
    }
    return { key: USER_PREFIX + other.name, version: other.version };
  }

  /** Repeats what was decided on records that changed meanwhile. */
  async function commitUser(
    name: string,
    by: Principal | undefined,
    decide: () => Promise<{ checks: KvCheck[]; mutations: KvMutation[] }>,
  ): Promise<void> {
    for (;;) {
      const { checks, mutations } = await decide();
      if (by) checks.push(userCheck(by));
      try {
        await store.commit(checks, mutations);
        for (const listener of listeners) listener(name);
        return;
      } catch (error) {
        if (!(error instanceof CommitConflict)) throw error;
        const own = by && (await find(by.name));
        if (by && own?.version !== by.version) throw principalChanged(by);
      }
    }
  }

  return {
    find,

    async list() {
      return (await allUsers()).map(({ name, role, grants }) => ({ name, role, grants }));
    },

    async put(name, input, by) {
      if (!isUserName(name)) {
        throw new KeystowError('bad-request', `A user name ${USER_NAME_RULE}.`);
      }
      const newHash =
        input.password === undefined ? undefined : await passwords.hash(input.password);
      let user: User = { name, role: input.role, grants: [] };
      let isNew = false;
      await commitUser(name, by, async () => {
        const { user: current, check } = await readForUpdate(name);
        const passwordHash = newHash ?? current?.passwordHash;
        if (passwordHash === undefined) {
          throw new KeystowError('bad-request', `${name} has no password yet: give one.`);
        }
        isNew = current === undefined;
        user = { name, role: input.role, grants: input.grants ?? current?.grants ?? [] };
        const checks = [check];
        if (current?.role === 'admin' && user.role !== 'admin') {
          checks.push(await otherAdminCheck(name));
        }
        const record = { role: user.role, grants: user.grants, passwordHash };
        const value = Buffer.from(JSON.stringify(record));
        return { checks, mutations: [{ type: 'put', key: USER_PREFIX + name, value }] };
      });
      return { user, isNew };
    },

    async createAdmin(name, password) {
      const passwordHash = await passwords.hash(password);
      const key = USER_PREFIX + name;
      const value = Buffer.from(JSON.stringify({ role: 'admin', grants: [], passwordHash }));
      try {
        await store.commit([{ key, version: null }], [{ type: 'put', key, value }]);
        return true;
      } catch (error) {
        if (error instanceof CommitConflict) return false;
        throw error;
      }
    },

    async remove(name, by) {
      await commitUser(name, by, async () => {
        const { user: current, check } = isUserName(name) ? await readForUpdate(name) : absent;
        if (check.version === null) {
          throw new KeystowError('not-found', `There is no user ${name}.`);
        }
        const accessKeys = await readKeyList(store, name);
        const checks = [check, accessKeys.check];
        if (current?.role === 'admin') checks.push(await otherAdminCheck(name));
        const keys = [check.key, ...accessKeys.ids.map((id) => ACCESS_KEY_PREFIX + id)];
        if (accessKeys.check.version !== null) keys.push(accessKeys.check.key);
        return { checks, mutations: keys.map((key) => ({ type: 'delete', key })) };
      });
    },

    onChange(listener) {
      listeners.push(listener);
    },
  };
}

const userOf = onceFor(parseUser);

function parseUser(entry: KvEntry): StoredUser {
  const record: { role: Role; grants: Grant[]; passwordHash: string } = JSON.parse(
    entry.value.toString(),
  );
  return { ...record, name: entry.key.slice(USER_PREFIX.length), version: entry.version };
}
