import { createHash } from 'node:crypto';
import { MAX_XML_BODY_BYTES } from '../../../shared/limits.ts';
import { listBucketsXml, locationXml } from '../../s3/answer-xml.ts';
import { checkBucketName } from '../../s3/bucket-name.ts';
import { mayListBucket, parseCannedAcl } from '../../s3/canned-acl.ts';
import { noSuchBucket, S3Error } from '../../s3/s3-error.ts';
import { readXml } from '../../s3/xml-reader.ts';
import { type Buckets, reservedNames } from '../../services/buckets.ts';
import type { Caller } from '../../services/caller.ts';
import { readablePrefixes } from '../../services/grants.ts';
import { readBody } from '../body.ts';
import type { Context } from '../context.ts';
import { sendEmpty, sendXml } from '../s3-answer.ts';
import type { S3Callers } from '../s3-caller.ts';
import type { S3Handler, S3Target } from '../s3-requests.ts';

export interface S3BucketOptions {
  readonly callers: S3Callers;
  readonly buckets: Buckets;
  readonly region: string;
}

/** S3's own calls for buckets: ListBuckets. */
export function serviceRoutes({ callers, buckets }: S3BucketOptions): Record<string, S3Handler> {
  return {
    GET: async (ctx, { hostBucket }) => {
      const { principal } = await callers.ofRequest(ctx, hostBucket);
      if (!principal) throw new S3Error('AccessDenied');
      const owner = { id: ownerId(principal.name), displayName: principal.name };
      const listed = (await buckets.list(principal)).map(({ name, createdAt }) => ({
        name,
        createdAt: new Date(createdAt),
      }));
      sendXml(ctx, 200, listBucketsXml(owner, listed));
    },
  };
}

/** CreateBucket, HeadBucket, DeleteBucket and GetBucketLocation; listing what is in a bucket is not offered yet. */
export function bucketRoutes(options: S3BucketOptions): {
  readonly bucket: Record<string, S3Handler>;
  readonly location: S3Handler;
} {
  const { callers, buckets, region } = options;

  async function checkMayList(ctx: Context, { hostBucket, bucket: name = '' }: S3Target) {
    const { principal } = await callers.ofRequest(ctx, hostBucket);
    const bucket = await buckets.find(name);
    if (!bucket) throw noSuchBucket(name);
    ctx.set('x-amz-bucket-region', region);
    const isCovered = principal && readablePrefixes(principal, `${name}/`).length > 0;
    const as = isCovered ? 'owner' : principal ? 'authenticated' : 'anonymous';
    if (!mayListBucket(bucket.acl, as)) throw new S3Error('AccessDenied');
  }

  const bucket: Record<string, S3Handler> = {
    GET: async (ctx, target) => {
      await checkMayList(ctx, target);
      throw new S3Error('NotImplemented', { message: 'Listing objects is not implemented.' });
    },

    PUT: async (ctx, { hostBucket, bucket: name = '' }) => {
      const body = await readBody(ctx, MAX_XML_BODY_BYTES);
      const hash = createHash('sha256').update(body).digest('hex');
      const caller = await callers.ofRequest(ctx, hostBucket, hash);
      checkKnown(caller);
      checkBucketName(name);
      if (reservedNames.has(name)) throw new S3Error('BucketAlreadyExists');
      checkConfiguration(body);
      const acl = ctx.get('x-amz-acl');
      const input = acl === '' ? {} : { acl: parseCannedAcl(acl, 'x-amz-acl') };
      refuseOtherSettings(ctx);
      if (!(await buckets.create(name, input, caller))) {
        throw new S3Error('BucketAlreadyOwnedByYou', { extra: [['BucketName', name]] });
      }
      ctx.set('Location', `/${name}`);
      sendEmpty(ctx, 200);
    },

    HEAD: async (ctx, target) => {
      await checkMayList(ctx, target);
      sendEmpty(ctx, 200);
    },

    DELETE: async (ctx, { hostBucket, bucket: name = '' }) => {
      const caller = await callers.ofRequest(ctx, hostBucket);
      checkKnown(caller);
      const outcome = await buckets.remove(name, caller);
      if (outcome === 'absent') throw noSuchBucket(name);
      if (outcome === 'not-empty') {
        throw new S3Error('BucketNotEmpty', { extra: [['BucketName', name]] });
      }
      ctx.status = 204;
    },
  };

  return {
    bucket,
    location: async (ctx, target) => {
      await checkMayList(ctx, target);
      sendXml(ctx, 200, locationXml(region));
    },
  };
}

function checkKnown({ principal }: Caller): void {
  if (!principal) throw new S3Error('AccessDenied');
}

/** `CreateBucketConfiguration`, whose region may be any; there is one place only. */
function checkConfiguration(body: Buffer): void {
  if (body.length > 0 && readXml(body.toString()).name !== 'CreateBucketConfiguration') {
    throw new S3Error('MalformedXML');
  }
}

/** A setting that is passed over would be a promise that is not kept. */
function refuseOtherSettings(ctx: Context): void {
  const names = Object.keys(ctx.req.headers);
  const refused = names.find(
    (name) =>
      name.startsWith('x-amz-grant-') ||
      (name === 'x-amz-bucket-object-lock-enabled' && ctx.get(name).toLowerCase() === 'true'),
  );
  if (refused !== undefined) throw new S3Error('NotImplemented', { extra: [['Header', refused]] });
}

/** S3's owners are known by 64 hexadecimal digits. */
function ownerId(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
