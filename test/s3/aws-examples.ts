import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { S3Error } from '../../server/s3/s3-error.ts';

/** The credentials of every example in AWS's documentation. */
export const example = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

/** The S3Error that a call throws; fails the test when it throws none. */
export function s3ErrorOf(call: () => unknown): S3Error {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(S3Error);
    if (error instanceof S3Error) return error;
  }
  throw new Error('It should have thrown an S3Error.');
}

/** What an error tells: code, status, message, members. */
export function told(call: () => unknown): [string, number, string, Record<string, string>] {
  const { code, status, message, extra } = s3ErrorOf(call);
  return [code, status, message, Object.fromEntries(extra)];
}

export interface PolicyVector {
  readonly name: string;
  readonly version: 'v2' | 'v4';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly policy: string;
  readonly signature: string;
  readonly date?: string;
  readonly region?: string;
}

// Copied from the specification's vectors, so that this file stands alone.
export const policyVectors: readonly PolicyVector[] = JSON.parse(
  readFileSync(new URL('./post-policy-signatures.json', import.meta.url), 'utf8'),
);

/** The form fields that carry a vector's signature. */
export function authFields(vector: PolicyVector): [string, string][] {
  const { accessKeyId, policy, signature } = vector;
  if (vector.version === 'v2') {
    return [
      ['AWSAccessKeyId', accessKeyId],
      ['policy', policy],
      ['signature', signature],
    ];
  }
  return [
    ['policy', policy],
    ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
    ['x-amz-credential', `${accessKeyId}/${vector.date}/${vector.region}/s3/aws4_request`],
    ['x-amz-date', `${vector.date}T000000Z`],
    ['x-amz-signature', signature],
  ];
}
