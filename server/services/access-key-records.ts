import { DamagedEntry, type KvCheck, type KvEntry, type KvStore } from '../stores/kv-store.ts';

/** How access keys lie in the store: a record each, and a list of each user's keys. */

export interface AccessKeyRecord {
  readonly accessKeyId: string;
  readonly user: string;
  /** Sealed with the master key. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly version: number;
}

/** Whoever makes or removes a key writes its user's list too, so that no key outlives its user. */
export interface KeyList {
  /** The oldest first. */
  readonly ids: readonly string[];
  readonly check: KvCheck;
}

export const ACCESS_KEY_PREFIX = 'access-key/';
const KEY_LIST_PREFIX = 'access-keys-of/';

export function keyListKey(user: string): string {
  return KEY_LIST_PREFIX + user;
}

export function encodeAccessKey(
  record: Pick<AccessKeyRecord, 'user' | 'secret' | 'createdAt'>,
): Buffer {
  const { user, secret, createdAt } = record;
  return Buffer.from(JSON.stringify({ user, secret, createdAt }));
}

export function decodeAccessKey({ key, value, version }: KvEntry): AccessKeyRecord {
  const { user, secret, createdAt }: Omit<AccessKeyRecord, 'accessKeyId' | 'version'> = JSON.parse(
    value.toString(),
  );
  return { accessKeyId: key.slice(ACCESS_KEY_PREFIX.length), user, secret, createdAt, version };
}

export async function readKeyList(store: KvStore, user: string): Promise<KeyList> {
  const key = keyListKey(user);
  try {
    const entry = await store.get(key);
    const ids: string[] = entry ? JSON.parse(entry.value.toString()) : [];
    return { ids, check: { key, version: entry?.version ?? null } };
  } catch (error) {
    if (!(error instanceof DamagedEntry)) throw error;
    // The records tell it too, if slowly.
    const records = await listAccessKeys(store);
    const owned = records.filter((record) => record.user === user);
    owned.sort((left, right) => left.createdAt - right.createdAt);
    return { ids: owned.map((record) => record.accessKeyId), check: { key, version: 'damaged' } };
  }
}

/** Of all users, by id. */
export async function listAccessKeys(store: KvStore): Promise<AccessKeyRecord[]> {
  const records: AccessKeyRecord[] = [];
  for await (const page of store.range({ prefix: ACCESS_KEY_PREFIX })) {
    records.push(...page.map(decodeAccessKey));
  }
  return records;
}
