import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_ACCESS_KEYS_PER_USER } from '../../shared/limits.ts';
import {
  type ClaimV2,
  type ClaimV4,
  type CredentialScope,
  createSigningKeys,
  invalidAccessKeyId,
  verifySignature,
} from '../s3/signature.ts';
import type { KvMutation, KvStore } from '../stores/kv-store.ts';
import {
  ACCESS_KEY_PREFIX,
  type AccessKeyRecord,
  decodeAccessKey,
  encodeAccessKey,
  keyListKey,
  listAccessKeys,
  readKeyList,
} from './access-key-records.ts';
import { time } from './answer-parts.ts';
import { type Caller, commitAs } from './caller.ts';
import type { Principal } from './grants.ts';
import { onceFor } from './once-for.ts';
import type { SecretBox } from './secret-box.ts';
import { openSession, randomKeyId } from './session-credentials.ts';
import { toPrincipal, type Users, userCheck } from './users.ts';

/** Access keys: what signs forms, URLs and requests of S3 clients on behalf of a user. */

export type AccessKey = Readonly<z.infer<typeof accessKeyAnswer>>;
export type KeyPair = Readonly<z.infer<typeof keyPairAnswer>>;

/** A stored pair; `version` is the number of its record's last write. */
export interface SigningPair extends KeyPair {
  readonly version: number;
}

export interface AccessKeys {
  /** Rejects with `forbidden`, `not-found` for the user, `conflict` for an id that is taken. */
  create(input: AccessKeyInput, by: Principal): Promise<KeyPair>;
  /** Those of the principal; an admin sees all. */
  list(by: Principal): Promise<AccessKey[]>;
  /** Rejects with `not-found`, or `forbidden` for a key of somebody else. */
  remove(id: string, by: Principal): Promise<void>;
  /** Makes sure that the user has just this pair. Rejects with `conflict` where another has the id. */
  ensure(pair: KeyPair): Promise<void>;
  /** The oldest of the principal's pairs, or one made now. Rejects as `create` does. */
  signingPair(by: Principal): Promise<SigningPair>;
  /** The pair of an id; undefined where there is none. */
  pair(id: string): Promise<KeyPair | undefined>;
  /**
   * Whom a signature speaks for. Rejects with S3Error InvalidAccessKeyId, SignatureDoesNotMatch, or
   * for session credentials ExpiredToken or InvalidToken.
   */
  authenticate(claim: ClaimV2 | ClaimV4): Promise<Authenticated>;
}

export interface Authenticated {
  readonly caller: Caller;
  /** Of version 4: what the chunks of the body are signed with. */
  readonly signingKey: (() => Buffer) | undefined;
}

export type AccessKeyInput = z.infer<typeof accessKeyInput>;

// Neither may hold what separates them from their neighbours: `/`, `:`, `,`, `=` or a space.
const ACCESS_KEY_ID = /^[\w.-]{3,128}$/;
const SECRET_ACCESS_KEY = /^[\x21-\x7e]{8,128}$/;
export const ACCESS_KEY_ID_RULE = 'has 3 to 128 letters, digits, dots, hyphens and underscores';
export const SECRET_ACCESS_KEY_RULE = 'has 8 to 128 characters of ASCII without spaces';

/** The body of `POST /api/access-keys`; what is not given is made. */
export const accessKeyInput = z
  .strictObject({
    user: z.string().optional().meta({ description: 'Whose key it is: oneself unless told.' }),
    accessKeyId: z.string().regex(ACCESS_KEY_ID, { error: ACCESS_KEY_ID_RULE }).optional(),
    secretAccessKey: z
      .string()
      .regex(SECRET_ACCESS_KEY, { error: SECRET_ACCESS_KEY_RULE })
      .optional(),
  })
  .meta({ id: 'AccessKeyInput' });

/** A key as lists show it. */
export const accessKeyAnswer = z
  .strictObject({ accessKeyId: z.string(), user: z.string(), createdAt: time })
  .meta({ id: 'AccessKey' });

/** A key when it was just made: the only time that its secret is shown. */
export const keyPairAnswer = z
  .strictObject({ accessKeyId: z.string(), secretAccessKey: z.string(), user: z.string() })
  .meta({ id: 'KeyPair' });

export function isAccessKeyId(text: string): boolean {
  return ACCESS_KEY_ID.test(text);
}

export function isSecretAccessKey(text: string): boolean {
  return SECRET_ACCESS_KEY.test(text);
}

export function createAccessKeys(options: {
  readonly store: KvStore;
  readonly users: Users;
  readonly secretBox: SecretBox;
  readonly now: () => number;
}): AccessKeys {
  const { store, users, secretBox, now } = options;

  async function find(id: string): Promise<AccessKeyRecord | undefined> {
    if (!isAccessKeyId(id)) return undefined;
    const entry = await store.get(ACCESS_KEY_PREFIX + id);
    return entry && recordOf(entry);
  }

  /** What signs with a secret. */
  function signer(secret: string): { secret: string; keys: (scope: CredentialScope) => Buffer } {
    return { secret, keys: createSigningKeys(secret) };
  }
  const signerOf = onceFor((record: AccessKeyRecord) => signer(openPair(record).secretAccessKey));

  function putKey({ accessKeyId, secretAccessKey, user }: KeyPair): KvMutation {
    const secret = secretBox.seal(secretAccessKey, accessKeyId);
    const value = encodeAccessKey({ user, secret, createdAt: now() });
    return { type: 'put', key: ACCESS_KEY_PREFIX + accessKeyId, value };
  }

  function openPair({ accessKeyId, secret, user }: AccessKeyRecord): KeyPair {
    return { accessKeyId, secretAccessKey: secretBox.open(secret, accessKeyId), user };
  }

  function putList(user: string, ids: readonly string[]): KvMutation {
    return { type: 'put', key: keyListKey(user), value: Buffer.from(JSON.stringify(ids)) };
  }

  /**
   * Decides anew where a record that was relied on changed meanwhile. Undefined, and nothing stored,
   * where the user has other keys than those of `known`.
   */
  async function storeKey(
    pair: KeyPair,
    by: Caller,
    known?: readonly string[],
  ): Promise<number | undefined> {
    for (;;) {
      const owner = await users.find(pair.user);
      if (!owner) throw new KeystowError('not-found', `There is no user ${pair.user}.`);
      const { ids, check } = await readKeyList(store, pair.user);
      if (known && ids.join() !== known.join()) return undefined;
      if (ids.length >= MAX_ACCESS_KEYS_PER_USER) {
        throw new KeystowError(
          'conflict',
          `${pair.user} has ${MAX_ACCESS_KEYS_PER_USER} access keys: remove one first.`,
        );
      }
      const absent = { key: ACCESS_KEY_PREFIX + pair.accessKeyId, version: null };
      const outcome = await commitAs(
        store,
        by,
        [absent, check, userCheck(owner)],
        [putKey(pair), putList(pair.user, [...ids, pair.accessKeyId])],
      );
      if (typeof outcome === 'number') return outcome;
      if (outcome.conflict === absent.key) {
        throw new KeystowError(
          'conflict',
          `There is an access key ${pair.accessKeyId} already: choose another id.`,
        );
      }
    }
  }

  return {
    async create(input, by) {
      const user = input.user ?? by.name;
      if (user !== by.name && by.role !== 'admin') {
        throw new KeystowError('forbidden', 'Only an admin makes access keys for other users.');
      }
      const made = newPair(user);
      const pair = {
        accessKeyId: input.accessKeyId ?? made.accessKeyId,
        secretAccessKey: input.secretAccessKey ?? made.secretAccessKey,
        user,
      };
      await storeKey(pair, { principal: by });
      return pair;
    },

    async list(by) {
      if (by.role === 'admin') return (await listAccessKeys(store)).map(toAccessKey);
      const { ids } = await readKeyList(store, by.name);
      const records = await Promise.all(ids.map(find));
      return records.flatMap((record) => (record ? [toAccessKey(record)] : []));
    },

    async remove(id, by) {
      for (;;) {
        const record = await find(id);
        if (!record) throw new KeystowError('not-found', `There is no access key ${id}.`);
        if (record.user !== by.name && by.role !== 'admin') {
          throw new KeystowError('forbidden', `The access key ${id} belongs to another user.`);
        }
        const { ids, check } = await readKeyList(store, record.user);
        const present = { key: ACCESS_KEY_PREFIX + id, version: record.version };
        const others = ids.filter((other) => other !== id);
        const outcome = await commitAs(
          store,
          { principal: by },
          [present, check],
          [{ type: 'delete', key: present.key }, putList(record.user, others)],
        );
        if (typeof outcome === 'number') return;
      }
    },

    async ensure(pair) {
      let record = await find(pair.accessKeyId);
      if (!record) {
        try {
          await storeKey(pair, {});
          return;
        } catch (error) {
          // Another node that starts has made it meanwhile.
          record = await find(pair.accessKeyId);
          if (!record) throw error;
        }
      }
      if (record.user !== pair.user) {
        throw new KeystowError(
          'conflict',
          `The access key ${pair.accessKeyId} belongs to the user ${record.user}.`,
        );
      }
      if (openPair(record).secretAccessKey === pair.secretAccessKey) return;
      await store.commit([], [putKey(pair)]);
    },

    async signingPair(by) {
      for (;;) {
        const { ids } = await readKeyList(store, by.name);
        for (const id of ids) {
          const record = await find(id);
          if (record) return { ...openPair(record), version: record.version };
        }
        const made = newPair(by.name);
        // Of two requests at once, the second signs with the key that the first has made.
        const version = await storeKey(made, { principal: by }, ids);
        if (version !== undefined) return { ...made, version };
      }
    },

    async pair(id) {
      const record = await find(id);
      return record && openPair(record);
    },

    async authenticate(claim) {
      const session = openSession(claim, secretBox, now());
      const id = session?.parent.id ?? claim.accessKeyId;
      const record = await find(id);
      const user = record && (await users.find(record.user));
      if (!record || !user) throw invalidAccessKeyId(claim.accessKeyId);
      if (session && session.parent.version !== record.version) {
        throw invalidAccessKeyId(claim.accessKeyId);
      }
      const { secret, keys } = session ? signer(session.secretAccessKey) : signerOf(record);
      verifySignature(claim, secret, keys);
      const signingKey = claim.version === 'v4' ? () => keys(claim.scope) : undefined;
      const check = { key: ACCESS_KEY_PREFIX + id, version: record.version };
      const caller = {
        principal: toPrincipal(user),
        accessKey: { id: claim.accessKeyId, check },
        ...(session ? { upload: session.upload } : {}),
      };
      return { caller, signingKey };
    },
  };
}

const recordOf = onceFor(decodeAccessKey);

function toAccessKey({ accessKeyId, user, createdAt }: AccessKeyRecord): AccessKey {
  return { accessKeyId, user, createdAt: new Date(createdAt).toISOString() };
}

function newPair(user: string): KeyPair {
  return {
    accessKeyId: randomKeyId(20),
    secretAccessKey: randomBytes(30).toString('base64'),
    user,
  };
}
