import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_SAVE_PREFIX_BYTES } from '../../shared/limits.ts';
import { reservedNames } from '../../shared/reserved-names.ts';
import { isBucketName } from '../s3/bucket-name.ts';
import { cannedAcls } from '../s3/canned-acl.ts';
import type { CorsRule } from '../s3/cors-rules.ts';
import { MAX_SAVE_VERSION } from '../s3/save-key.ts';
import type { KvCheck, KvEntry, KvMutation, KvStore } from '../stores/kv-store.ts';
import { time } from './answer-parts.ts';
import { ANONYMOUS, type Caller, commitAs } from './caller.ts';
import { checkAdmin, type Principal, readablePrefixes } from './grants.ts';
import { onceFor } from './once-for.ts';
import { slotPrefix } from './save-slots.ts';
import { endUploads } from './upload-records.ts';

/** Buckets: the names, with their ACLs, that objects lie under. */

export type Bucket = Readonly<z.infer<typeof bucketAnswer>>;

export interface StoredBucket extends Bucket {
  /** Of this bucket and no earlier one of its name: its slots' counters and its uploads name it. */
  readonly id: string;
  /** Which pages may read its answers; without it all may. */
  readonly cors?: readonly CorsRule[] | undefined;
  /** No object was ever stored since it was made, or since somebody looked whether it is empty. */
  readonly mayBeEmpty: boolean;
  readonly version: number;
}

export interface Buckets {
  find(name: string): Promise<StoredBucket | undefined>;
  /** Those that the principal's grants cover something of, by name in byte order. */
  list(by: Principal): Promise<Bucket[]>;
  /**
   * Makes a bucket; undefined where there is one already. Rejects with `forbidden`, or `bad-request`
   * for a name that no bucket may have.
   */
  create(name: string, input: BucketInput, by: Caller): Promise<Bucket | undefined>;
  /** Makes a bucket, or changes what is given of one. Rejects as `create` does. */
  put(name: string, input: BucketInput, by: Caller): Promise<{ bucket: Bucket; isNew: boolean }>;
  /** Changes what is given of a bucket; false where there is none. Rejects with `forbidden`. */
  change(
    name: string,
    changes: Partial<Pick<StoredBucket, 'acl' | 'cors'>>,
    by: Caller,
  ): Promise<boolean>;
  /** Its unfinished uploads go with it. Rejects with `forbidden`. */
  remove(name: string, by: Caller): Promise<'removed' | 'absent' | 'not-empty'>;
  /** Makes a bucket, once for each name: not again after an admin has removed it. Rejects with `bad-request`. */
  makeOnce(name: string): Promise<void>;
}

export const SAVE_PREFIX_RULE = `has 1 to ${MAX_SAVE_PREFIX_BYTES} bytes of UTF-8, none of them NUL`;

/** With it, a save's key is an object's key. */
export function isSavePrefix(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return (
    bytes >= 1 && bytes <= MAX_SAVE_PREFIX_BYTES && text.isWellFormed() && !text.includes('\0')
  );
}

export type BucketInput = z.infer<typeof bucketInput>;

/** The body of `PUT /api/buckets/:bucket`; null takes a setting back. */
export const bucketInput = z
  .strictObject({
    acl: z.enum(cannedAcls).optional(),
    saves: z.boolean().optional(),
    savePrefix: z
      .string()
      .refine(isSavePrefix, { error: SAVE_PREFIX_RULE })
      .meta({ minLength: 1, maxLength: MAX_SAVE_PREFIX_BYTES })
      .nullable()
      .optional(),
    keepVersions: z.int().min(1).max(MAX_SAVE_VERSION).nullable().optional(),
  })
  .meta({
    id: 'BucketInput',
    description: 'What is not given stays; null takes a setting back. A new bucket is private.',
  });

/** A bucket as answers show one. */
export const bucketAnswer = z
  .strictObject({
    name: z.string(),
    acl: z.enum(cannedAcls),
    createdAt: time,
    saves: z.boolean().optional().meta({
      description: 'Keys are those of saves, and versions follow one another.',
    }),
    savePrefix: z.string().optional().meta({
      description: 'The prefix of the keys of saves, unless a request names another.',
    }),
    keepVersions: z.int().min(1).max(MAX_SAVE_VERSION).optional().meta({
      description: 'So many versions of a slot are kept; all of them without it.',
    }),
  })
  .meta({ id: 'Bucket' });

export const BUCKET_PREFIX = 'bucket/';
const OBJECT_PREFIX = 'object/';
/** Buckets of the settings that were made at a first start. */
const MADE_PREFIX = 'meta/made-bucket/';

/** Where an object's index entry lies. */
export function objectEntryKey(bucket: string, key: string): string {
  return `${OBJECT_PREFIX}${bucket}/${key}`;
}

/** BUCKET/KEY of the object whose index entry a key of the store is. */
export function objectOfKey(key: string): string | undefined {
  return key.startsWith(OBJECT_PREFIX) ? key.slice(OBJECT_PREFIX.length) : undefined;
}

export function bucketCheck({ name, version }: StoredBucket): KvCheck {
  return { key: BUCKET_PREFIX + name, version };
}

/**
 * What has to be written with an object, so that a removal of the bucket that has just found it
 * empty fails: nothing but for the first object.
 */
export function markUsed(bucket: StoredBucket): KvMutation[] {
  return bucket.mayBeEmpty ? [putBucket({ ...bucket, mayBeEmpty: false })] : [];
}

export function createBuckets(store: KvStore, now: () => number): Buckets {
  async function find(name: string): Promise<StoredBucket | undefined> {
    if (!isBucketName(name)) return undefined;
    const entry = await store.get(BUCKET_PREFIX + name);
    return entry && bucketOf(entry);
  }

  async function create(name: string, input: BucketInput, by: Caller): Promise<Bucket | undefined> {
    checkName(name);
    const fresh = {
      name,
      id: randomBytes(8).toString('hex'),
      acl: 'private',
      createdAt: new Date(now()).toISOString(),
      mayBeEmpty: true,
    } as const;
    const bucket = { ...fresh, ...settingsOf(fresh, input) };
    const absent = { key: BUCKET_PREFIX + name, version: null };
    const outcome = await commitAs(store, by, [absent], [putBucket(bucket)]);
    return typeof outcome === 'number' ? publicPart(bucket) : undefined;
  }

  async function hasObjects(name: string): Promise<boolean> {
    for await (const page of store.keys({ prefix: objectEntryKey(name, ''), limit: 1 })) {
      if (page.length > 0) return true;
    }
    return false;
  }

  /** Counters that a crash leaves here are never found again. */
  async function forgetSlots(id: string): Promise<void> {
    for await (const keys of store.keys({ prefix: slotPrefix(id, '') })) {
      const deletions = keys.map((key): KvMutation => ({ type: 'delete', key }));
      if (deletions.length > 0) await store.commit([], deletions);
    }
  }

  return {
    find,

    async list(by) {
      const buckets: Bucket[] = [];
      for await (const page of store.range({ prefix: BUCKET_PREFIX })) {
        buckets.push(...page.map((entry) => publicPart(parseBucket(entry))));
      }
      return buckets.filter(({ name }) => readablePrefixes(by, `${name}/`).length > 0);
    },

    async create(name, input, by) {
      checkAuthor(by);
      return create(name, input, by);
    },

    async put(name, input, by) {
      checkAuthor(by);
      for (;;) {
        const created = await create(name, input, by);
        if (created) return { bucket: created, isNew: true };
        const current = await find(name);
        if (!current) continue;
        const bucket = { ...current, ...settingsOf(current, input) };
        const outcome = await commitAs(store, by, [bucketCheck(current)], [putBucket(bucket)]);
        if (typeof outcome === 'number') return { bucket: publicPart(bucket), isNew: false };
      }
    },

    async change(name, changes, by) {
      checkAuthor(by);
      for (;;) {
        const current = await find(name);
        if (!current) return false;
        const bucket = putBucket({ ...current, ...changes });
        const outcome = await commitAs(store, by, [bucketCheck(current)], [bucket]);
        if (typeof outcome === 'number') return true;
      }
    },

    async remove(name, by) {
      checkAuthor(by);
      for (;;) {
        const bucket = await find(name);
        if (!bucket) return 'absent';
        if (await hasObjects(name)) return 'not-empty';
        // An upload that began before conflicts with this, or with the removal below.
        const looked = putBucket({ ...bucket, mayBeEmpty: true });
        const version = await commitAs(store, by, [bucketCheck(bucket)], [looked]);
        if (typeof version !== 'number') continue;
        if (await hasObjects(name)) return 'not-empty';
        const unused = bucketCheck({ ...bucket, version });
        const outcome = await commitAs(store, by, [unused], [{ type: 'delete', key: unused.key }]);
        if (typeof outcome !== 'number') continue;
        await forgetSlots(bucket.id);
        await endUploads(store, bucket, now());
        return 'removed';
      }
    },

    async makeOnce(name) {
      checkName(name);
      const key = MADE_PREFIX + name;
      if (await store.get(key)) return;
      await create(name, {}, ANONYMOUS);
      await store.commit([], [{ type: 'put', key, value: Buffer.from('made') }]);
    },
  };
}

/** Buckets are changed by admins only. */
function checkAuthor({ principal }: Caller): void {
  if (principal) checkAdmin(principal);
  else throw new KeystowError('forbidden', 'Only an admin may do this.');
}

/** Throws `bad-request`. */
function checkName(name: string): void {
  if (!isBucketName(name)) {
    throw new KeystowError(
      'bad-request',
      `${name} cannot be a bucket's name: it has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit.`,
    );
  }
  if (reservedNames.has(name)) {
    throw new KeystowError(
      'bad-request',
      `${name} cannot be a bucket's name: Keystow keeps that path for itself.`,
    );
  }
}

/** What is not given stays. */
function settingsOf(
  current: Pick<Bucket, 'acl' | 'saves' | 'savePrefix' | 'keepVersions'>,
  input: BucketInput,
): Pick<Bucket, 'acl' | 'saves' | 'savePrefix' | 'keepVersions'> {
  const { savePrefix = current.savePrefix, keepVersions = current.keepVersions } = input;
  return {
    acl: input.acl ?? current.acl,
    saves: (input.saves ?? current.saves) || undefined,
    savePrefix: savePrefix ?? undefined,
    keepVersions: keepVersions ?? undefined,
  };
}

function putBucket(bucket: Omit<StoredBucket, 'version'>): KvMutation {
  const { id, mayBeEmpty, cors } = bucket;
  const { name, ...rest } = publicPart(bucket);
  const value = Buffer.from(JSON.stringify({ ...rest, cors, id, mayBeEmpty }));
  return { type: 'put', key: BUCKET_PREFIX + name, value };
}

const bucketOf = onceFor(parseBucket);

function parseBucket({ key, value, version }: KvEntry): StoredBucket {
  const record: Omit<StoredBucket, 'name' | 'version'> = JSON.parse(value.toString());
  return { ...record, name: key.slice(BUCKET_PREFIX.length), version };
}

function publicPart({ name, acl, createdAt, saves, savePrefix, keepVersions }: Bucket): Bucket {
  return { name, acl, createdAt, saves, savePrefix, keepVersions };
}
