import { MAX_XML_BODY_BYTES } from '../../../shared/limits.ts';
import { accessControlPolicyXml, parseAccessControlPolicy } from '../../s3/acl-xml.ts';
import { type CannedAcl, parseCannedAcl } from '../../s3/canned-acl.ts';
import { corsConfigurationXml, parseCorsConfiguration } from '../../s3/cors-xml.ts';
import { fieldValue } from '../../s3/form-fields.ts';
import { checkObjectKey } from '../../s3/object-key.ts';
import { parseTaggingDocument, taggingXml } from '../../s3/object-tags.ts';
import { OWNER } from '../../s3/owner.ts';
import { noSuchBucket, noSuchKey, S3Error } from '../../s3/s3-error.ts';
import { checkVersionId } from '../../s3/version-id.ts';
import type { Buckets, StoredBucket } from '../../services/buckets.ts';
import type { Caller } from '../../services/caller.ts';
import type { Access } from '../../services/grants.ts';
import { checkGranted, checkMayAdminister } from '../../services/object-access.ts';
import type { Attributes, Objects, StoredObject } from '../../services/objects.ts';
import type { Context } from '../context.ts';
import { sendEmpty, sendXml } from '../s3-answer.ts';
import type { S3Callers, S3Upload } from '../s3-caller.ts';
import { expectedOf, readXmlPayload } from '../s3-payload.ts';
import { type S3Operations, type S3Target, storedBucket } from '../s3-requests.ts';

export interface S3SettingOptions {
  readonly callers: S3Callers;
  readonly buckets: Buckets;
  readonly objects: Objects;
}

/** The ACL and the CORS rules of a bucket. */
export function bucketSettingRoutes({ callers, buckets }: S3SettingOptions): S3Operations {
  async function read(ctx: Context, target: S3Target): Promise<StoredBucket> {
    const caller = await callers.ofRequest(ctx, target.hostBucket);
    const bucket = storedBucket(target);
    checkMayAdminister(caller);
    return bucket;
  }

  async function change(
    ctx: Context,
    target: S3Target,
    changesOf: (upload: S3Upload) => Promise<Partial<Pick<StoredBucket, 'acl' | 'cors'>>>,
    status: 200 | 204,
  ): Promise<void> {
    const upload = await callers.ofUpload(ctx, target.hostBucket);
    const { name } = storedBucket(target);
    checkMayAdminister(upload.caller);
    const changes = await changesOf(upload);
    if (!(await buckets.change(name, changes, upload.caller))) throw noSuchBucket(name);
    if (status === 204) ctx.status = 204;
    else sendEmpty(ctx, 200);
  }

  return {
    'GET ?acl': async (ctx, target) => {
      const { acl } = await read(ctx, target);
      sendXml(ctx, 200, accessControlPolicyXml(acl, OWNER));
    },
    'PUT ?acl': (ctx, target) =>
      change(ctx, target, async (upload) => ({ acl: await readAcl(upload) }), 200),

    'GET ?cors': async (ctx, target) => {
      const { name, cors } = await read(ctx, target);
      if (!cors) throw new S3Error('NoSuchCORSConfiguration', { extra: [['BucketName', name]] });
      sendXml(ctx, 200, corsConfigurationXml(cors));
    },
    'PUT ?cors': (ctx, target) =>
      change(
        ctx,
        target,
        async (upload) => ({ cors: parseCorsConfiguration(await readXmlBody(upload)) }),
        200,
      ),
    'DELETE ?cors': async (ctx, target) => {
      const caller = await callers.ofRequest(ctx, target.hostBucket);
      const { name } = storedBucket(target);
      if (!(await buckets.change(name, { cors: undefined }, caller))) throw noSuchBucket(name);
      ctx.status = 204;
    },
  };
}

/** The ACL and the tags of an object: for those whose grants cover it, whatever its ACL says. */
export function objectSettingRoutes({ callers, objects }: S3SettingOptions): S3Operations {
  function check(ctx: Context, caller: Caller, access: Access, target: S3Target): void {
    const { key } = target;
    checkObjectKey(key);
    checkGranted(caller, access, { bucket: storedBucket(target).name, key });
    checkVersionId(new URLSearchParams(ctx.querystring).get('versionId') ?? undefined, key);
  }

  async function read(ctx: Context, target: S3Target): Promise<StoredObject> {
    const caller = await callers.ofRequest(ctx, target.hostBucket);
    check(ctx, caller, 'read', target);
    const object = await objects.find(storedBucket(target).name, target.key);
    if (!object) throw noSuchKey(target.key);
    return object;
  }

  async function change(target: S3Target, by: Caller, changes: Partial<Attributes>): Promise<void> {
    const edit = ({ attributes }: StoredObject) => ({ attributes: { ...attributes, ...changes } });
    const changed = await objects.restate(storedBucket(target).name, target.key, by, edit);
    if (!changed) throw noSuchKey(target.key);
  }

  return {
    'GET ?acl': async (ctx, target) => {
      const { attributes } = await read(ctx, target);
      sendXml(ctx, 200, accessControlPolicyXml(attributes.acl, OWNER));
    },
    'PUT ?acl': async (ctx, target) => {
      const upload = await callers.ofUpload(ctx, target.hostBucket);
      check(ctx, upload.caller, 'write', target);
      await change(target, upload.caller, { acl: await readAcl(upload) });
      sendEmpty(ctx, 200);
    },

    'GET ?tagging': async (ctx, target) => {
      const { attributes } = await read(ctx, target);
      sendXml(ctx, 200, taggingXml(attributes.tags));
    },
    'PUT ?tagging': async (ctx, target) => {
      const upload = await callers.ofUpload(ctx, target.hostBucket);
      check(ctx, upload.caller, 'write', target);
      await change(target, upload.caller, {
        tags: parseTaggingDocument(await readXmlBody(upload)),
      });
      sendEmpty(ctx, 200);
    },
    'DELETE ?tagging': async (ctx, target) => {
      const caller = await callers.ofRequest(ctx, target.hostBucket);
      check(ctx, caller, 'write', target);
      await change(target, caller, { tags: [] });
      ctx.status = 204;
    },
  };
}

/** By its canned name in a header, or as a document. Throws S3Error MissingSecurityHeader for neither. */
async function readAcl(upload: S3Upload): Promise<CannedAcl> {
  const { headers } = upload;
  const canned = fieldValue(headers, 'x-amz-acl');
  const grant = [...headers.keys()].find((name) => name.startsWith('x-amz-grant-'));
  if (grant !== undefined) throw new S3Error('NotImplemented', { extra: [['Header', grant]] });
  const body = await readXmlBody(upload);
  if (canned === undefined && body === '') {
    throw new S3Error('MissingSecurityHeader', { extra: [['MissingHeaderName', 'x-amz-acl']] });
  }
  if (canned === undefined) return parseAccessControlPolicy(body, OWNER.id);
  if (body !== '') {
    throw new S3Error('InvalidRequest', {
      message: 'Say the ACL either with x-amz-acl or in the body, not with both.',
    });
  }
  return parseCannedAcl(canned, 'x-amz-acl');
}

function readXmlBody({ headers, payload }: S3Upload): Promise<string> {
  return readXmlPayload(payload, expectedOf(headers, payload), MAX_XML_BODY_BYTES);
}
