import { invalidArgument } from './s3-error.ts';

export const cannedAcls = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
  'aws-exec-read',
] as const;

export type CannedAcl = (typeof cannedAcls)[number];

/**
 * Who asks, as an ACL sees it: `owner` is whoever Keystow's own grants allow, so the ACLs that only
 * tell owners apart (`bucket-owner-…`, `aws-exec-read`) come to the same as `private`.
 */
export type AclCaller = 'anonymous' | 'authenticated' | 'owner';

/** Throws S3Error InvalidArgument that names `argument`: `acl` in a form, `x-amz-acl` in a header. */
export function parseCannedAcl(value: string, argument: 'acl' | 'x-amz-acl'): CannedAcl {
  const acl = cannedAcls.find((known) => known === value);
  if (acl === undefined) {
    throw invalidArgument(
      `The canned ACL must be one of ${cannedAcls.join(', ')}.`,
      argument,
      value,
    );
  }
  return acl;
}

/** READ on an object: its bytes and metadata. A bucket's ACL says nothing about it. */
export function mayReadObject(objectAcl: CannedAcl, caller: AclCaller): boolean {
  return grantsRead(objectAcl, caller);
}

/** READ on a bucket: listing it, and so learning which keys do not exist. */
export function mayListBucket(bucketAcl: CannedAcl, caller: AclCaller): boolean {
  return grantsRead(bucketAcl, caller);
}

/** WRITE on a bucket: creating, overwriting and deleting its objects. An object's ACL has no WRITE. */
export function mayWriteObjects(bucketAcl: CannedAcl, caller: AclCaller): boolean {
  return caller === 'owner' || bucketAcl === 'public-read-write';
}

function grantsRead(acl: CannedAcl, caller: AclCaller): boolean {
  switch (acl) {
    case 'public-read':
    case 'public-read-write':
      return true;
    case 'authenticated-read':
      return caller !== 'anonymous';
    default:
      return caller === 'owner';
  }
}
