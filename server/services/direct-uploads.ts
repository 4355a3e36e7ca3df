import { createHash, randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import { DIRECT_UPLOAD_GRACE_MS } from '../../shared/limits.ts';
import { checkSize } from '../s3/check-post-policy.ts';
import { FILENAME } from '../s3/form-fields.ts';
import type { ContentLengthRange } from '../s3/post-policy.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { DirectBlobStore, DirectForm } from '../stores/blob-store.ts';
import type { KvCheck, KvEntry, KvStore } from '../stores/kv-store.ts';
import type { Buckets } from './buckets.ts';
import { putBytes } from './byte-places.ts';
import { ANONYMOUS, commitAs } from './caller.ts';
import type { FormInput } from './form-input.ts';
import { checkMayWrite } from './object-access.ts';
import { type Attributes, BytesChanged, type Objects } from './objects.ts';
import type { Submission } from './session-credentials.ts';
import { toPrincipal, type Users } from './users.ts';

/**
 * Uploads that go to the S3-compatible store itself. Their form is remembered; what has arrived is found
 * when somebody asks for it, and by the sweeper, and becomes an object by the same commit as any other.
 */
export interface DirectUploads {
  /**
   * A form for one object. Undefined where the form has to lead to this server, since only it knows the
   * name of the file, verifies version 2, and numbers saves as they arrive.
   */
  sign(upload: WantedUpload): Promise<DirectForm | undefined>;
  /** Makes objects of what has arrived under keys that begin with `prefix`. */
  settle(bucket: string, prefix: string): Promise<void>;
  /** The same everywhere; what did not come in time is forgotten. */
  sweep(): Promise<void>;
}

export interface WantedUpload {
  readonly bucket: string;
  readonly key: string;
  /** Whose grants count when it arrives; undefined for a form that anybody may have. */
  readonly user: string | undefined;
  readonly input: FormInput;
  readonly submission?: Submission | undefined;
}

/** The life of a form that says nothing of it, in seconds. */
const DEFAULT_SECONDS = 3_600;

type DirectRecord = Pick<WantedUpload, 'user' | 'submission'> & {
  readonly attributes: Attributes;
  readonly bucketId: string;
  readonly blob: string;
  /** Not every store looks at a policy's range. */
  readonly range: ContentLengthRange;
  /** Milliseconds since 1970. */
  readonly expires: number;
};

const DIRECT_PREFIX = 'direct-upload/';

/** What has arrived meanwhile is there for whoever reads or lists. */
export function settlingFirst(objects: Objects, { settle }: DirectUploads): Objects {
  return {
    ...objects,
    async find(bucket, key) {
      await settle(bucket, key);
      return objects.find(bucket, key);
    },
    async *list(bucket, prefix) {
      await settle(bucket, prefix);
      yield* objects.list(bucket, prefix);
    },
    async page(bucket, query) {
      await settle(bucket, query.prefix);
      return objects.page(bucket, query);
    },
  };
}

export function createDirectUploads(options: {
  readonly store: KvStore;
  readonly blobs: DirectBlobStore;
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly users: Users;
  readonly log: Logger;
  readonly now: () => number;
}): DirectUploads {
  const { store, blobs, buckets, objects, users, log, now } = options;

  async function settleEntry(entry: KvEntry): Promise<void> {
    const record: DirectRecord = JSON.parse(entry.value.toString());
    const [, bucket = ''] = entry.key.split('/', 2);
    const key = entry.key.slice(`${DIRECT_PREFIX}${bucket}/`.length, -record.blob.length - 1);
    const own: KvCheck = { key: entry.key, version: entry.version };
    const arrived = await blobs.stat(record.blob);
    if (!arrived) {
      if (now() > record.expires + DIRECT_UPLOAD_GRACE_MS) await forget(own);
      return;
    }
    try {
      await makeObject({ bucket, key }, record, arrived, own);
    } catch (error) {
      // Another request was faster, or the user was just changed: the next one decides anew.
      const isOvertaken = error instanceof BytesChanged;
      if (isOvertaken || (error instanceof KeystowError && error.code === 'unauthenticated'))
        return;
      if (!(error instanceof S3Error)) throw error;
      log.info({ object: `${bucket}/${key}`, reason: error.message }, 'direct upload refused');
      if (await forget(own)) await blobs.delete(record.blob);
    }
  }

  async function makeObject(
    { bucket: name, key }: { bucket: string; key: string },
    record: DirectRecord,
    { size, etag }: { size: number; etag: string },
    own: KvCheck,
  ): Promise<void> {
    checkSize([record.range], size);
    const bucket = await buckets.find(name);
    if (bucket?.id !== record.bucketId) throw new S3Error('NoSuchBucket');
    const user = record.user === undefined ? undefined : await users.find(record.user);
    if (record.user !== undefined && !user) throw new S3Error('AccessDenied');
    const by = user ? { principal: toPrincipal(user) } : {};
    const place = { id: record.blob, isInline: false };
    const bytes = {
      etag: /^[0-9a-f]{32}$/.test(etag) ? etag : await md5Of(record.blob, size),
      size,
      place,
      checks: [own],
      mutations: [putBytes(place, Buffer.alloc(0)), { type: 'delete', key: own.key } as const],
    };
    const { attributes, submission } = record;
    await objects.put({ bucket, key, submission }, bytes, attributes, by, (current) => {
      if (user) checkMayWrite(by, { bucket: name, key }, current.acl);
    });
  }

  /** Some stores' ETags are something else. */
  async function md5Of(id: string, size: number): Promise<string> {
    const hash = createHash('md5');
    if (size > 0) {
      for await (const chunk of await blobs.get(id, { start: 0, end: size - 1 }))
        hash.update(chunk);
    }
    return hash.digest('hex');
  }

  /** False where it was settled meanwhile: then its blob is an object's. */
  async function forget(own: KvCheck): Promise<boolean> {
    const outcome = await commitAs(store, ANONYMOUS, [own], [{ type: 'delete', key: own.key }]);
    return typeof outcome === 'number';
  }

  async function settleAll(prefix: string): Promise<void> {
    for await (const page of store.range({ prefix })) {
      for (const entry of page) await settleEntry(entry);
    }
  }

  return {
    async sign({ bucket: name, key, user, input, submission }) {
      const bucket = await buckets.find(name);
      if (!bucket || bucket.saves || key.includes(FILENAME) || input.signatureVersion === 'v2') {
        return undefined;
      }
      const blob = randomBytes(16).toString('hex');
      const { expiresIn: seconds = DEFAULT_SECONDS } = input;
      const range = { min: input.minBytes ?? 0, max: input.maxBytes ?? 0 };
      const form = await blobs.form(blob, { fields: fieldsOf(input), range, seconds });
      const expires = now() + seconds * 1_000;
      const attributes = attributesOf(input);
      const record = { user, attributes, submission, bucketId: bucket.id, blob, range, expires };
      const value = Buffer.from(JSON.stringify(record satisfies DirectRecord));
      const entryKey = `${DIRECT_PREFIX}${name}/${key}/${blob}`;
      await store.commit([], [{ type: 'put', key: entryKey, value }]);
      return form;
    },

    settle: (bucket, prefix) => settleAll(`${DIRECT_PREFIX}${bucket}/${prefix}`),
    sweep: () => settleAll(DIRECT_PREFIX),
  };
}

function attributesOf({ acl = 'private', contentType, metadata = {} }: FormInput): Attributes {
  return {
    acl,
    headers: contentType === undefined ? {} : { 'content-type': contentType },
    metadata: Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]),
    storageClass: 'STANDARD',
    tags: [],
  };
}

function fieldsOf(input: FormInput): Record<string, string> {
  const { successActionStatus = '201', successActionRedirect, contentType } = input;
  return {
    success_action_status: successActionStatus,
    ...(successActionRedirect === undefined
      ? {}
      : { success_action_redirect: successActionRedirect }),
    ...(contentType === undefined ? {} : { 'Content-Type': contentType }),
  };
}
