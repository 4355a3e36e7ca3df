import { z } from 'zod';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_OBJECT_KEY_BYTES } from '../s3/object-key.ts';
import { encodePath, presignV4 } from '../s3/sign-request.ts';
import { MAX_PRESIGN_SECONDS } from '../s3/signature-v4.ts';
import type { AccessKeys } from './access-keys.ts';
import type { Buckets } from './buckets.ts';
import { checkAllowed, type Principal } from './grants.ts';

/** The life of a URL that says nothing of it, in seconds. */
const DEFAULT_SECONDS = 3_600;

/** The body of `POST /api/presign`; `expiresIn` in seconds. */
export const presignInput = z
  .strictObject({
    method: z.enum(['GET', 'HEAD', 'PUT', 'DELETE']),
    bucket: z.string(),
    key: z
      .string()
      .refine(isKey, { error: `has 1 to ${MAX_OBJECT_KEY_BYTES} bytes of UTF-8` })
      .meta({ minLength: 1, maxLength: MAX_OBJECT_KEY_BYTES }),
    expiresIn: z
      .int()
      .min(1)
      .max(MAX_PRESIGN_SECONDS)
      .default(DEFAULT_SECONDS)
      .meta({ description: 'Seconds.' }),
  })
  .meta({ id: 'PresignInput' });

export const presignAnswer = z
  .strictObject({
    url: z.url().meta({ description: 'Good for that one thing, without credentials.' }),
  })
  .meta({ id: 'PresignedUrl' });

export type PresignInput = z.infer<typeof presignInput>;

export interface PresignedUrls {
  /**
   * A URL, path-style below `base`, with which anyone can do this one thing. Signed with the oldest of
   * the principal's access keys. Rejects with `forbidden`, or `not-found` for the bucket.
   */
  create(by: Principal, base: string, input: PresignInput): Promise<string>;
}

export function createPresignedUrls(options: {
  readonly accessKeys: AccessKeys;
  readonly buckets: Buckets;
  readonly region: string;
  readonly now: () => number;
}): PresignedUrls {
  const { accessKeys, buckets, region, now } = options;
  return {
    async create(by, base, { method, bucket, key, expiresIn }) {
      const access = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
      checkAllowed(by, access, `${bucket}/${key}`);
      if (!(await buckets.find(bucket))) {
        throw new KeystowError('not-found', `There is no bucket ${bucket}.`);
      }
      if (!URL.canParse(base)) {
        throw new KeystowError('bad-request', 'The Host of the request cannot be part of a URL.');
      }
      const url = new URL(base);
      const rawPath = pathOf(bucket, key);
      const request = { method, rawPath, rawQuery: '', headers: [['host', url.host]] as const };
      const pair = await accessKeys.signingPair(by);
      const query = presignV4(request, pair, { region, now: now(), expiresIn });
      // A proxy takes the path of PUBLIC_URL off, so that is not signed.
      return `${url.origin}${url.pathname.replace(/\/$/, '')}${rawPath}?${query}`;
    },
  };
}

/**
 * Of a URL `.` and `..` between slashes are taken away before it is sent (URL Standard, 4.4), in whatever
 * way they are written; escaped slashes are none. Throws `bad-request` for a key that is nothing else.
 */
function pathOf(bucket: string, key: string): string {
  const path = encodePath(key);
  if (!path.split('/').some(isDots)) return `/${bucket}/${path}`;
  const escaped = path.replaceAll('/', '%2F');
  if (!isDots(escaped)) return `/${bucket}/${escaped}`;
  throw new KeystowError('bad-request', `No URL can name the key ${key}: use an S3 client.`);
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}

function isKey(key: string): boolean {
  const bytes = Buffer.byteLength(key);
  return bytes >= 1 && bytes <= MAX_OBJECT_KEY_BYTES && key.isWellFormed() && !key.includes('\0');
}
