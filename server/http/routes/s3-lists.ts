import {
  continuationToken,
  type ListParameters,
  parseContinuationToken,
  parseListParameters,
} from '../../s3/list-parameters.ts';
import {
  type ListedObject,
  listObjectsV2Xml,
  listObjectsXml,
  listUploadsXml,
  listVersionsXml,
} from '../../s3/list-xml.ts';
import { OWNER } from '../../s3/owner.ts';
import { invalidArgument } from '../../s3/s3-error.ts';

import type { ListQuery, Page } from '../../services/list-page.ts';
import type { MultipartUploads } from '../../services/multipart-uploads.ts';
import { listablePrefixes } from '../../services/object-access.ts';
import type { Objects, StoredObject } from '../../services/objects.ts';
import { uploadName } from '../../services/upload-records.ts';
import type { Context } from '../context.ts';
import { sendXml } from '../s3-answer.ts';
import type { S3Callers } from '../s3-caller.ts';
import { type S3Operations, type S3Target, storedBucket } from '../s3-requests.ts';

export interface S3ListOptions {
  readonly callers: S3Callers;
  readonly objects: Objects;
  readonly uploads: MultipartUploads;
}

/** ListObjects, ListObjectsV2, ListObjectVersions and ListMultipartUploads. */
export function listRoutes({ callers, objects, uploads }: S3ListOptions): S3Operations {
  /** What all of them have in common: who asks, for what. */
  async function open(ctx: Context, target: S3Target, limitName: 'max-keys' | 'max-uploads') {
    const caller = await callers.ofRequest(ctx, target.hostBucket);
    const bucket = storedBucket(target);
    const query = new URLSearchParams(ctx.querystring);
    const parameters = parseListParameters(query, limitName);
    const { prefix, delimiter, limit } = parameters;
    const within = listablePrefixes(caller, bucket, prefix);
    const wanted: ListQuery = { prefix, delimiter, limit, within };
    return { bucket: bucket.name, query, parameters, wanted };
  }

  async function listV1(ctx: Context, target: S3Target): Promise<void> {
    const { bucket, query, parameters, wanted } = await open(ctx, target, 'max-keys');
    const marker = query.get('marker') ?? '';
    const page = await objects.page(bucket, { ...wanted, after: marker || undefined });
    const isTruncated = page.next !== undefined;
    // Without a delimiter the last key says it, as S3 documents.
    const nextMarker = parameters.delimiter === undefined ? undefined : page.next;
    const listing = listed(bucket, parameters, page);
    sendXml(
      ctx,
      200,
      listObjectsXml({ ...listing, owner: OWNER, marker, isTruncated, nextMarker }),
    );
  }

  async function listV2(ctx: Context, target: S3Target): Promise<void> {
    const { bucket, query, parameters, wanted } = await open(ctx, target, 'max-keys');
    const token = query.get('continuation-token') ?? undefined;
    const startAfter = query.get('start-after') || undefined;
    const after = token === undefined ? startAfter : parseContinuationToken(token);
    const page = await objects.page(bucket, { ...wanted, after });
    const xml = listObjectsV2Xml({
      ...listed(bucket, parameters, page),
      owner: query.get('fetch-owner') === 'true' ? OWNER : undefined,
      startAfter,
      continuationToken: token,
      nextContinuationToken: page.next === undefined ? undefined : continuationToken(page.next),
    });
    sendXml(ctx, 200, xml);
  }

  return {
    GET: async (ctx, target) => {
      const type = new URLSearchParams(ctx.querystring).get('list-type') ?? '';
      if (type === '' || type === '1') return listV1(ctx, target);
      if (type === '2') return listV2(ctx, target);
      throw invalidArgument('Invalid List Type specified in Request', 'list-type', type);
    },

    'GET ?versions': async (ctx, target) => {
      const { bucket, query, parameters, wanted } = await open(ctx, target, 'max-keys');
      const keyMarker = query.get('key-marker') ?? '';
      const versionIdMarker = query.get('version-id-marker') ?? '';
      if (versionIdMarker !== '' && keyMarker === '') {
        throw invalidArgument(
          'A version-id marker cannot be specified without a key marker.',
          'version-id-marker',
          versionIdMarker,
        );
      }
      const page = await objects.page(bucket, { ...wanted, after: keyMarker || undefined });
      const isKey = page.next === page.items.at(-1)?.key;
      const next = page.next === undefined ? undefined : { keyMarker: page.next, isKey };
      const listing = listed(bucket, parameters, page);
      sendXml(
        ctx,
        200,
        listVersionsXml({ ...listing, owner: OWNER, keyMarker, versionIdMarker, next }),
      );
    },

    'GET ?uploads': async (ctx, target) => {
      const { bucket, query, parameters, wanted } = await open(ctx, target, 'max-uploads');
      const keyMarker = query.get('key-marker') ?? '';
      // Without a key marker it says nothing, as S3 documents.
      const uploadIdMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '');
      const page = await uploads.page(bucket, {
        ...wanted,
        // Without an id: after all uploads of the key, whose ids are hexadecimal digits.
        after: keyMarker === '' ? undefined : uploadName(keyMarker, uploadIdMarker || '~'),
        afterKey: keyMarker,
      });
      const last = page.items.at(-1);
      const isUpload = last !== undefined && page.next === uploadName(last.key, last.id);
      const next =
        page.next === undefined
          ? undefined
          : {
              keyMarker: isUpload ? last.key : page.next,
              uploadIdMarker: isUpload ? last.id : '',
            };
      const items = page.items.map((upload) => ({
        ...upload,
        storageClass: upload.attributes.storageClass,
      }));
      const listing = { bucket, parameters, items, commonPrefixes: page.commonPrefixes };
      sendXml(
        ctx,
        200,
        listUploadsXml({ ...listing, owner: OWNER, keyMarker, uploadIdMarker, next }),
      );
    },
  };
}

function listed(bucket: string, parameters: ListParameters, page: Page<StoredObject>) {
  const items = page.items.map(toListed);
  return { bucket, parameters, items, commonPrefixes: page.commonPrefixes };
}

function toListed(object: StoredObject): ListedObject {
  return { ...object, storageClass: object.attributes.storageClass };
}
