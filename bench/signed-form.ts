import { signedUrlFields, signPostPolicyV4 } from '../server/s3/sign-post-policy.ts';

/** Forms of POST Object, signed with version 4, as bytes around those of a file. */

export const accessKey = {
  accessKeyId: 'bench-access-key',
  secretAccessKey: 'bench-secret-only',
} as const;
export const BUCKET = 'uploads';

const BOUNDARY = 'form-of-the-bench';
const LIFETIME_MS = 3_600_000;

export const formHeaders: Readonly<Record<string, string>> = {
  'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
};

/** What comes behind the file's bytes. */
export const formEnd = `\r\n--${BOUNDARY}--\r\n`;

/** All that comes before the file's bytes: fields for one key, and the policy that allows it. */
export function formStart(key: string): string {
  const now = Date.now();
  const signed = signPostPolicyV4(accessKey, {
    conditions: [{ bucket: BUCKET }, ['eq', '$key', key]],
    expiration: now + LIFETIME_MS,
    region: 'us-east-1',
    now,
  });
  return partsOf(signedUrlFields([['key', key]], signed));
}

/**
 * The same for every key of a prefix: signed once, so that a load costs its clients no signing. `key`
 * is put in by the caller in the place of what is between the two.
 */
export function formStartOfPrefix(prefix: string): readonly [before: string, after: string] {
  const now = Date.now();
  const signed = signPostPolicyV4(accessKey, {
    conditions: [{ bucket: BUCKET }, ['starts-with', '$key', prefix]],
    expiration: now + LIFETIME_MS,
    region: 'us-east-1',
    now,
  });
  const [before = '', after = ''] = partsOf(signedUrlFields([['key', '\0']], signed)).split('\0');
  return [before, after];
}

function partsOf(fields: readonly (readonly [name: string, value: string])[]): string {
  const parts = fields.map(([name, value]) => part(`name="${name}"`) + value);
  const file = `${part('name="file"; filename="data.bin"\r\nContent-Type: application/octet-stream')}`;
  return `${parts.join('\r\n')}\r\n${file}`;
}

function part(disposition: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`;
}
