import { MAX_XML_BODY_BYTES } from '../../../shared/limits.ts';
import { reservedNames } from '../../../shared/reserved-names.ts';
import { listBucketsXml, locationXml, versioningXml } from '../../s3/answer-xml.ts';
import { checkBucketName } from '../../s3/bucket-name.ts';
import { parseCannedAcl } from '../../s3/canned-acl.ts';
import { fieldValue } from '../../s3/form-fields.ts';
import { continuationToken, parseBucketListParameters } from '../../s3/list-parameters.ts';
import { OWNER } from '../../s3/owner.ts';
import { noSuchBucket, S3Error } from '../../s3/s3-error.ts';
import { readRoot } from '../../s3/xml-element.ts';
import type { Buckets } from '../../services/buckets.ts';
import type { Caller } from '../../services/caller.ts';
import { listablePrefixes } from '../../services/object-access.ts';
import type { Context } from '../context.ts';
import { sendEmpty, sendXml } from '../s3-answer.ts';
import type { S3Callers } from '../s3-caller.ts';
import type { S3Headers } from '../s3-headers.ts';
import { expectedOf, readXmlPayload } from '../s3-payload.ts';
import { type S3Operations, type S3Target, storedBucket } from '../s3-requests.ts';

export interface S3BucketOptions {
  readonly callers: S3Callers;
  readonly buckets: Buckets;
  readonly region: string;
}

/** ListBuckets. */
export function serviceRoutes({ callers, buckets, region }: S3BucketOptions): S3Operations {
  return {
    GET: async (ctx, { hostBucket }) => {
      const { principal } = await callers.ofRequest(ctx, hostBucket);
      if (!principal) throw new S3Error('AccessDenied');
      const wanted = parseBucketListParameters(new URLSearchParams(ctx.querystring));
      const { prefix, limit, after = '' } = wanted;
      const isHere = wanted.region === undefined || wanted.region === region;
      const found = (isHere ? await buckets.list(principal) : []).filter(
        ({ name }) => name.startsWith(prefix) && name > after,
      );
      const listed = found
        .slice(0, limit)
        .map(({ name, createdAt }) => ({ name, createdAt: new Date(createdAt) }));
      const last = found.length > limit ? listed.at(-1) : undefined;
      const token = last && continuationToken(last.name);
      sendXml(ctx, 200, listBucketsXml(OWNER, listed, { prefix, continuationToken: token }));
    },
  };
}

/** CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation and GetBucketVersioning. */
export function bucketRoutes({ callers, buckets, region }: S3BucketOptions): S3Operations {
  async function checkMayList(ctx: Context, target: S3Target): Promise<void> {
    const caller = await callers.ofRequest(ctx, target.hostBucket);
    const bucket = storedBucket(target);
    ctx.set('x-amz-bucket-region', region);
    listablePrefixes(caller, bucket, '');
  }

  return {
    PUT: async (ctx, { hostBucket, bucket: name = '' }) => {
      const { caller, headers, payload } = await callers.ofUpload(ctx, hostBucket);
      checkKnown(caller);
      checkBucketName(name);
      if (reservedNames.has(name)) throw new S3Error('BucketAlreadyExists');
      const expected = expectedOf(headers, payload);
      checkConfiguration(await readXmlPayload(payload, expected, MAX_XML_BODY_BYTES));
      const acl = fieldValue(headers, 'x-amz-acl');
      const input = acl ? { acl: parseCannedAcl(acl, 'x-amz-acl') } : {};
      refuseOtherSettings(headers);
      if (!(await buckets.create(name, input, caller))) {
        throw new S3Error('BucketAlreadyOwnedByYou', { extra: [['BucketName', name]] });
      }
      ctx.set('Location', `/${name}`);
      ctx.set('x-amz-bucket-arn', arnOf(name));
      sendEmpty(ctx, 200);
    },

    HEAD: async (ctx, target) => {
      await checkMayList(ctx, target);
      ctx.set('x-amz-bucket-arn', arnOf(storedBucket(target).name));
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

    'GET ?location': async (ctx, target) => {
      await checkMayList(ctx, target);
      sendXml(ctx, 200, locationXml(region));
    },

    'GET ?versioning': async (ctx, target) => {
      await checkMayList(ctx, target);
      sendXml(ctx, 200, versioningXml());
    },
  };
}

function arnOf(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

function checkKnown({ principal }: Caller): void {
  if (!principal) throw new S3Error('AccessDenied');
}

/** `CreateBucketConfiguration`, whose region may be any; there is one place only. */
function checkConfiguration(body: string): void {
  if (body === '') return;
  const { children } = readRoot(body, 'CreateBucketConfiguration');
  const other = children.find(({ name }) => name !== 'LocationConstraint');
  if (other) {
    throw new S3Error('NotImplemented', { message: `Buckets have no ${other.name} here.` });
  }
}

/** A setting that is passed over would be a promise that is not kept. */
function refuseOtherSettings(headers: S3Headers): void {
  for (const [key, { name, value }] of headers) {
    const isLock = key === 'x-amz-bucket-object-lock-enabled' && value.toLowerCase() === 'true';
    // Without ACLs: here they count.
    const isEnforced = key === 'x-amz-object-ownership' && value === 'BucketOwnerEnforced';
    if (isLock || isEnforced || key.startsWith('x-amz-grant-')) {
      throw new S3Error('NotImplemented', { extra: [['Header', name]] });
    }
  }
}
