import { z } from 'zod';
import { KeystowError } from '../../shared/errors.ts';
import { S3Error } from '../s3/s3-error.ts';
import {
  MAX_SAVE_VERSION,
  paddedSlot,
  parseSaveKey,
  type SaveSlot,
  saveFolder,
  saveKey,
  slotName,
} from '../s3/save-key.ts';
import type { KvStore } from '../stores/kv-store.ts';
import { quotedEtag, time } from './answer-parts.ts';
import { type Buckets, isSavePrefix, SAVE_PREFIX_RULE, type StoredBucket } from './buckets.ts';
import type { Caller } from './caller.ts';
import { checkAllowed, isAllowed, type Principal, readablePrefixes } from './grants.ts';
import { checkMayWrite } from './object-access.ts';
import type { Objects, StoredObject } from './objects.ts';
import { decodeSlot, readSlot, slotPrefix } from './save-slots.ts';

/** Saves: the slots of a bucket, their versions, and taking an old one back. */

export type Slot = Readonly<z.infer<typeof slotAnswer>>;
export type SaveVersion = Readonly<z.infer<typeof saveVersionAnswer>>;

const version = z.int().min(0).max(MAX_SAVE_VERSION);

/** `time` is when the latest version was saved. */
export const slotAnswer = z
  .strictObject({ slot: z.string().regex(/^\d{11}$/), latest: version, time })
  .meta({ id: 'Slot' });

export const saveVersionAnswer = z
  .strictObject({ version, key: z.string(), size: z.int().min(0), etag: quotedEtag, time })
  .meta({ id: 'SaveVersion' });

/** Which saves of a bucket; what is not given is the bucket's own. */
export interface SaveScope {
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly n: number;
}

/** All reject with `not-found` for a bucket without saves, `bad-request` without a prefix, `forbidden`. */
export interface Saves {
  /** Those that the principal may read, by number; only after `after`, at most `limit`. */
  slots(
    by: Principal,
    scope: SaveScope,
    page: { readonly after: number | undefined; readonly limit: number },
  ): Promise<Slot[]>;
  /** The versions that are kept, the oldest first. Rejects with `not-found` for an unused slot. */
  versions(by: Principal, scope: SaveScope, slot: number): Promise<SaveVersion[]>;
  /** Rejects with `not-found`. */
  find(
    by: Principal,
    scope: SaveScope,
    slot: number,
    version: number | 'latest',
  ): Promise<StoredObject>;
  /** The version to be saved next. Rejects with `conflict` after the last one. */
  next(
    by: Principal,
    scope: SaveScope,
    slot: number,
  ): Promise<{ bucket: string; slot: SaveSlot; version: number }>;
  /** Makes an old version the newest one. Rejects with `not-found`, `conflict`, `unavailable`. */
  restore(
    by: Principal,
    scope: SaveScope,
    slot: number,
    version: number,
    requestId?: string,
  ): Promise<SaveVersion>;
}

/** Of one restoration; each lost one means that a newer version was saved. */
const MAX_ATTEMPTS = 100;

export function createSaves(options: {
  readonly store: KvStore;
  readonly buckets: Buckets;
  readonly objects: Objects;
}): Saves {
  const { store, buckets, objects } = options;

  async function open(scope: SaveScope): Promise<{ bucket: StoredBucket; prefix: string }> {
    const bucket = await buckets.find(scope.bucket);
    if (!bucket?.saves) {
      throw new KeystowError('not-found', `There is no bucket ${scope.bucket} with saves.`);
    }
    const prefix = scope.prefix ?? bucket.savePrefix;
    if (prefix !== undefined && isSavePrefix(prefix)) return { bucket, prefix };
    if (prefix !== undefined) throw new KeystowError('bad-request', `prefix ${SAVE_PREFIX_RULE}.`);
    throw new KeystowError(
      'bad-request',
      `Say which saves with ?prefix=: the bucket ${scope.bucket} has no savePrefix.`,
    );
  }

  async function openSlot(
    by: Principal,
    access: 'read' | 'write',
    scope: SaveScope,
    number: number,
  ): Promise<{ bucket: StoredBucket; slot: SaveSlot }> {
    const { bucket, prefix } = await open(scope);
    const slot = { prefix, n: scope.n, slot: number };
    checkAllowed(by, access, `${bucket.name}/${slotName(slot)}-`);
    return { bucket, slot };
  }

  async function find(
    by: Principal,
    scope: SaveScope,
    number: number,
    version: number | 'latest',
  ): Promise<StoredObject> {
    const { bucket, slot } = await openSlot(by, 'read', scope, number);
    const { record } = await readSlot(store, bucket.id, slot);
    const wanted = version === 'latest' ? record?.latest : version;
    const object =
      wanted === undefined ? undefined : await objects.find(bucket.name, saveKey(slot, wanted));
    if (object) return object;
    throw new KeystowError(
      'not-found',
      version === 'latest'
        ? `The slot ${paddedSlot(number)} has no latest version.`
        : `The slot ${paddedSlot(number)} has no version ${version}.`,
    );
  }

  async function next(by: Principal, scope: SaveScope, number: number) {
    const { bucket, slot } = await openSlot(by, 'write', scope, number);
    const { record } = await readSlot(store, bucket.id, slot);
    const version = (record?.latest ?? 0) + 1;
    if (version <= MAX_SAVE_VERSION) return { bucket: bucket.name, slot, version };
    throw new KeystowError(
      'conflict',
      `The slot ${paddedSlot(number)} has its last version, ${MAX_SAVE_VERSION}.`,
    );
  }

  return {
    find,
    next,

    async slots(by, scope, { after, limit }) {
      const { bucket, prefix } = await open(scope);
      const folder = saveFolder({ prefix, n: scope.n });
      const begin = slotPrefix(bucket.id, '').length;
      const nameLength = folder.length + paddedSlot(0).length;
      const from =
        after === undefined ? undefined : slotPrefix(bucket.id, folder + paddedSlot(after));
      const slots: Slot[] = [];
      for (const readable of readablePrefixes(by, `${bucket.name}/${folder}`)) {
        // A grant may name a slot with its hyphen, which the names of records lack.
        const begun = readable.slice(bucket.name.length + 1).slice(0, nameLength);
        const within = slotPrefix(bucket.id, begun);
        for await (const page of store.range({ prefix: within, after: from })) {
          for (const entry of page) {
            const name = entry.key.slice(begin);
            // Another prefix may begin with this one's folder.
            if (name.includes('/', folder.length)) continue;
            if (!isAllowed(by, 'read', `${bucket.name}/${name}-`)) continue;
            const { latest, savedAt } = decodeSlot(entry);
            const slot = name.slice(folder.length);
            slots.push({ slot, latest, time: new Date(savedAt).toISOString() });
            if (slots.length === limit) return slots;
          }
        }
      }
      return slots;
    },

    async versions(by, scope, number) {
      const { bucket, slot } = await openSlot(by, 'read', scope, number);
      const { record } = await readSlot(store, bucket.id, slot);
      if (!record) {
        throw new KeystowError('not-found', `The slot ${paddedSlot(number)} has no saves.`);
      }
      const versions: SaveVersion[] = [];
      for await (const page of objects.list(bucket.name, `${slotName(slot)}-`)) {
        for (const object of page) {
          const version = parseSaveKey(object.key)?.version;
          if (version !== undefined) versions.push(toVersion(object, version));
        }
      }
      return versions;
    },

    async restore(by, scope, number, version, requestId) {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await restoreOnce({ principal: by, requestId }, scope, number, version);
        } catch (error) {
          // Somebody saved the next version meanwhile.
          const isOvertaken = error instanceof S3Error && error.code === 'AccessDenied';
          if (!isOvertaken) throw error;
          if (attempts === MAX_ATTEMPTS) throw tooBusy();
        }
      }
    },
  };

  async function restoreOnce(
    caller: Caller & { readonly principal: Principal },
    scope: SaveScope,
    number: number,
    version: number,
  ): Promise<SaveVersion> {
    const { principal: by } = caller;
    const old = await find(by, scope, number, version);
    const { bucket: name, slot, version: newest } = await next(by, scope, number);
    const bucket = await buckets.find(name);
    const received = bucket && (await objects.receiveCopy(old));
    if (!received) {
      throw new KeystowError('conflict', `Version ${version} was removed meanwhile.`);
    }
    const key = saveKey(slot, newest);
    const stored = await objects.put(
      { bucket, key, isNewVersion: true },
      received,
      old.attributes,
      caller,
      (current) => checkMayWrite(caller, { bucket: name, key }, current.acl),
    );
    return toVersion(stored, newest);
  }
}

function tooBusy(): KeystowError {
  return new KeystowError('unavailable', 'This slot is saved to too often: try again.', {
    headers: { 'Retry-After': '1' },
  });
}

function toVersion({ key, size, etag, lastModified }: StoredObject, version: number): SaveVersion {
  return { version, key, size, etag: `"${etag}"`, time: new Date(lastModified).toISOString() };
}
