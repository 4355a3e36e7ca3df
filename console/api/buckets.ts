import { jsonOf } from '../../shared/client/transport.ts';
import { current } from '../session.ts';

/** What may be set of a bucket that is made; see docs/signed-forms.md for those with saves. */
export interface NewBucket {
  readonly acl: BucketAcl;
  readonly saves?: boolean;
  readonly savePrefix?: string;
  readonly keepVersions?: number;
}

export interface Bucket extends NewBucket {
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

export type BucketAcl = (typeof bucketAcls)[number];

/** Those that mean something for a bucket; others are taken and mean `private`. */
export const bucketAcls = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
] as const;

/** Those that one's grants cover something of. */
export async function listBuckets(signal: AbortSignal): Promise<Bucket[]> {
  return jsonOf(await current().request({ method: 'GET', path: '/api/buckets', signal }));
}

/** False where there was a bucket of that name: it has these settings now. */
export async function makeBucket(name: string, settings: NewBucket): Promise<boolean> {
  const body = JSON.stringify(settings);
  const { status } = await current().request({ method: 'PUT', path: pathOf(name), body });
  return status === 201;
}

/** Rejects with `conflict` while there are objects in it. */
export async function deleteBucket(name: string): Promise<void> {
  await current().request({ method: 'DELETE', path: pathOf(name) });
}

function pathOf(name: string): string {
  return `/api/buckets/${encodeURIComponent(name)}`;
}
