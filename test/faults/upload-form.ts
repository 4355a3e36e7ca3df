import { signedUrlFields, signPostPolicyV4 } from '../../server/s3/sign-post-policy.ts';

/** Signed forms of POST Object as bytes, so that a test can break them off anywhere. */

export const BUCKET = 'uploads';
/** What a server of these tests is started with. */
export const ACCESS_KEY = {
  ACCESS_KEY_ID: 'faults-test-key',
  SECRET_ACCESS_KEY: 'faults-test-secret',
} as const;

const BOUNDARY = 'form-of-the-fault-tests';
const LIFETIME_MS = 3_600_000;

export interface UploadForm {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Answered with 201 and the key in XML. */
export function uploadForm(key: string, bytes: Buffer): UploadForm {
  const now = Date.now();
  const signed = signPostPolicyV4(
    { accessKeyId: ACCESS_KEY.ACCESS_KEY_ID, secretAccessKey: ACCESS_KEY.SECRET_ACCESS_KEY },
    {
      conditions: [{ bucket: BUCKET }, { key }, { success_action_status: '201' }],
      expiration: now + LIFETIME_MS,
      region: 'us-east-1',
      now,
    },
  );
  const fields = signedUrlFields(
    [
      ['key', key],
      ['success_action_status', '201'],
    ],
    signed,
  );
  const parts = fields.map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const fileHead =
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  const body = Buffer.concat([
    Buffer.from(parts.join('') + fileHead),
    bytes,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
  return {
    path: `/${BUCKET}`,
    headers: {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      'content-length': String(body.length),
    },
    body,
  };
}

export function objectPath(key: string): string {
  return `/${BUCKET}/${key}`;
}
