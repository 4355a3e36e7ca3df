import {
  type AclCaller,
  type CannedAcl,
  mayListBucket,
  mayReadObject,
  mayWriteObjects,
} from '../s3/canned-acl.ts';
import { noSuchKey, S3Error } from '../s3/s3-error.ts';
import type { Caller } from './caller.ts';
import { type Access, isAllowed, readablePrefixes } from './grants.ts';

/** Who may do what with objects: a user's grants first, then the ACLs of bucket and object. */

interface Resource {
  readonly bucket: string;
  readonly key: string;
}

/**
 * The object, if the caller may read it. Throws S3Error AccessDenied; NoSuchKey where there is none,
 * which only who may list the bucket is told.
 */
export function checkMayRead<T extends { readonly attributes: { readonly acl: CannedAcl } }>(
  caller: Caller,
  resource: Resource,
  bucketAcl: CannedAcl,
  object: T | undefined,
): T {
  const as = aclCaller(caller, 'read', resource);
  if (object && mayReadObject(object.attributes.acl, as)) return object;
  if (!object && mayListBucket(bucketAcl, as)) throw noSuchKey(resource.key);
  throw new S3Error('AccessDenied');
}

/** Throws S3Error AccessDenied. */
export function checkMayWrite(caller: Caller, resource: Resource, bucketAcl: CannedAcl): void {
  if (!mayWriteObjects(bucketAcl, aclCaller(caller, 'write', resource))) {
    throw new S3Error('AccessDenied');
  }
}

/** Settings of buckets are for admins. Throws S3Error AccessDenied. */
export function checkMayAdminister({ principal }: Caller): void {
  if (principal?.role !== 'admin') throw new S3Error('AccessDenied');
}

/** By the caller's own grants, whatever the ACLs say. Throws S3Error AccessDenied. */
export function checkGranted(caller: Caller, access: Access, resource: Resource): void {
  if (aclCaller(caller, access, resource) !== 'owner') throw new S3Error('AccessDenied');
}

/**
 * What the caller may list of a bucket's keys with a prefix: prefixes in byte order, none of which
 * contains another. Throws S3Error AccessDenied where that is nothing.
 */
export function listablePrefixes(
  { principal }: Caller,
  bucket: { readonly name: string; readonly acl: CannedAcl },
  prefix: string,
): string[] {
  if (mayListBucket(bucket.acl, principal ? 'authenticated' : 'anonymous')) return [prefix];
  const within = `${bucket.name}/`;
  const readable = principal ? readablePrefixes(principal, within + prefix) : [];
  if (readable.length === 0) throw new S3Error('AccessDenied');
  return readable.map((resource) => resource.slice(within.length));
}

function aclCaller({ principal }: Caller, access: Access, { bucket, key }: Resource): AclCaller {
  if (!principal) return 'anonymous';
  return isAllowed(principal, access, `${bucket}/${key}`) ? 'owner' : 'authenticated';
}
