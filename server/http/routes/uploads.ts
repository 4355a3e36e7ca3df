import { MAX_FORM_OVERHEAD_BYTES } from '../../../shared/limits.ts';
import { postResponseXml } from '../../s3/answer-xml.ts';
import { checkPostPolicy, checkSizeSoFar, policyBucket } from '../../s3/check-post-policy.ts';
import { parseFormAuth } from '../../s3/form-auth.ts';
import {
  type FormFields,
  fieldValue,
  formFields,
  MAX_FORM_FIELDS_BYTES,
} from '../../s3/form-fields.ts';
import { parseObjectAttributes } from '../../s3/object-attributes.ts';
import { checkObjectKey } from '../../s3/object-key.ts';
import {
  type ContentLengthRange,
  parsePostPolicy,
  readableConditions,
} from '../../s3/post-policy.ts';
import { missingField, noSuchBucket, S3Error } from '../../s3/s3-error.ts';
import { objectLocation, parseSuccessAction, redirectLocation } from '../../s3/success-action.ts';
import type { Buckets, StoredBucket } from '../../services/buckets.ts';
import type { Caller } from '../../services/caller.ts';
import { checkMayWrite } from '../../services/object-access.ts';
import type { Objects, StoredObject } from '../../services/objects.ts';
import { bucketUrl } from '../base-url.ts';
import { type Form, openForm } from '../multipart.ts';
import { sendEmpty, sendXml } from '../s3-answer.ts';
import type { S3Callers } from '../s3-caller.ts';
import { allowPages } from '../s3-cors.ts';
import type { S3Exchange } from '../s3-exchange.ts';
import { setChecksum } from '../s3-receive.ts';
import { asSavesRefusal, type S3Handler, type S3Target } from '../s3-requests.ts';

export interface UploadOptions {
  readonly callers: S3Callers;
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly now: () => number;
  readonly maxUploadBytes: number;
  readonly publicUrl: string | undefined;
}

/** What a form's fields allow, before a byte of its file is looked at. */
interface Admitted {
  readonly caller: Caller;
  readonly bucket: StoredBucket;
  readonly key: string;
  /** What the policy says of the file's size. */
  readonly ranges: readonly ContentLengthRange[];
}

/** POST Object: a form with fields, a policy, its signature, and a file. */
export function postObject(options: UploadOptions): S3Handler<S3Exchange> {
  const { callers, buckets, objects, now, maxUploadBytes } = options;
  const limit = { min: 0, max: maxUploadBytes };

  /** What the headers alone tell. */
  function checkAnnouncedSize(ctx: S3Exchange): void {
    const announced = Number(ctx.get('content-length'));
    const overhead = MAX_FORM_FIELDS_BYTES + MAX_FORM_OVERHEAD_BYTES;
    if (announced > maxUploadBytes + overhead) checkSizeSoFar([limit], announced);
  }

  async function admit(ctx: S3Exchange, fields: FormFields, target: S3Target): Promise<Admitted> {
    const key = fieldValue(fields, 'key');
    if (key === undefined) throw missingField('key');
    const claim = parseFormAuth(fields);
    const caller = claim ? await callers.ofForm(ctx, claim) : await callers.unsigned(ctx);
    const policy = claim && parsePostPolicy(fieldValue(fields, 'policy') ?? '');
    const name = bucketNameOf(target, fields);
    if (name === undefined) throw missingField('bucket');
    ctx.state.object = `${name}/${key}`;
    const ranges = policy ? checkPostPolicy(policy, fields, now(), { bucket: name }) : [];
    const bucket = target.stored ?? (await buckets.find(name));
    if (!bucket) throw noSuchBucket(name);
    if (!target.stored) allowPages(ctx, bucket);
    checkObjectKey(key);
    if (caller.upload && (caller.upload.bucket !== name || caller.upload.key !== key)) {
      throw new S3Error('AccessDenied');
    }
    checkMayWrite(caller, { bucket: name, key }, bucket.acl);
    await objects.checkKey(bucket, key);
    return { caller, bucket, key, ranges };
  }

  async function receive(ctx: S3Exchange, target: S3Target, form: Form): Promise<void> {
    const { pairs, filename } = await form.head();
    if (target.bucket === undefined) checkAnnouncedSize(ctx);
    const fields = formFields(pairs, filename);
    const { caller, bucket, key, ranges } = await admit(ctx, fields, target);
    const { expected, ...attributes } = parseObjectAttributes(fields);
    const demands = { ranges: [...ranges, limit], expected };
    const received = await objects.receive(form.file(), demands);
    try {
      await form.end();
    } catch (error) {
      await objects.discard(received);
      throw error;
    }
    const stored = await objects.put({ bucket, key }, received, attributes, caller, (current) =>
      checkMayWrite(caller, { bucket: current.name, key }, current.acl),
    );
    answer(ctx, target, stored, fields);
  }

  /** Of a form that only its fields address: what its URL addresses is known before. */
  async function refusalOf(error: unknown, target: S3Target, form: Form | undefined) {
    if (target.bucket !== undefined) return error;
    const name = bucketNameOf(target, formFields(form?.pairs ?? []));
    const bucket = name === undefined ? undefined : await buckets.find(name);
    return bucket?.saves ? asSavesRefusal(error) : error;
  }

  return async (ctx, target) => {
    let form: Form | undefined;
    try {
      // Only the fields may tell which bucket it is, and so what the refusal is.
      if (target.bucket !== undefined) checkAnnouncedSize(ctx);
      form = openForm(ctx);
      await receive(ctx, target, form);
    } catch (error) {
      throw await refusalOf(error, target, form);
    } finally {
      await form?.close();
    }
  };

  function answer(
    ctx: S3Exchange,
    target: S3Target,
    stored: StoredObject,
    fields: FormFields,
  ): void {
    const { bucket, key, etag, checksum } = stored;
    const location = objectLocation(
      bucketUrl(ctx, target.hostBucket, bucket, options.publicUrl),
      key,
    );
    const action = parseSuccessAction(fields);
    ctx.set('ETag', `"${etag}"`);
    setChecksum(ctx, checksum);
    if (action.status === 303) {
      ctx.set('Location', redirectLocation(action.redirect, { bucket, key, etag }));
      sendEmpty(ctx, 303);
      return;
    }
    ctx.set('Location', location);
    if (action.status === 201) {
      sendXml(ctx, 201, postResponseXml({ location, bucket, key, etag }));
      return;
    }
    sendEmpty(ctx, action.status);
  }
}

/**
 * The bucket that a form goes to: by its URL, else its own field, else what its policy says. Undefined
 * where nothing names one that can be read.
 */
function bucketNameOf(target: S3Target, fields: FormFields): string | undefined {
  const named = target.bucket ?? fieldValue(fields, 'bucket');
  if (named !== undefined) return named;
  return policyBucket({ conditions: readableConditions(fieldValue(fields, 'policy') ?? '') });
}
