import { z } from 'zod';
import { MAX_PAGE_OBJECTS } from '../../../shared/limits.ts';
import { objectPageAnswer } from '../../http/routes/object-api.ts';
import { bucketAnswer, bucketInput } from '../../services/buckets.ts';
import { presignAnswer, presignInput } from '../../services/presigned-urls.ts';
import { type ApiOperation, inPath, inQuery, json, wholeNumber } from '../operation.ts';

/** Buckets and their objects, for those without an S3 client at hand. */

export const bucketName = inPath(
  'bucket',
  'A name by the rules of S3.',
  { type: 'string', minLength: 3, maxLength: 63 },
  'replays',
);

const bucket = { name: 'replays', acl: 'private', createdAt: '2026-01-31T12:00:00.000Z' };
const noBucket = 'There is no such bucket.';

export const bucketOperations: readonly ApiOperation[] = [
  {
    method: 'put',
    path: '/api/buckets/{bucket}',
    id: 'putBucket',
    tag: 'Buckets',
    summary: 'Make a bucket, or change what is given of one',
    description: 'For admins.',
    isWrite: true,
    parameters: [bucketName],
    request: { content: json(bucketInput, { acl: 'private' }) },
    answers: {
      200: { description: 'The bucket, which was changed.', content: json(bucketAnswer, bucket) },
      201: { description: 'The bucket, which is new.', content: json(bucketAnswer, bucket) },
      400: 'The name or the body cannot be.',
    },
  },
  {
    method: 'get',
    path: '/api/buckets',
    id: 'listBuckets',
    tag: 'Buckets',
    summary: 'List buckets',
    answers: {
      200: {
        description: 'Those that grants cover something of, by name.',
        content: json(z.array(bucketAnswer), [bucket]),
      },
    },
  },
  {
    method: 'delete',
    path: '/api/buckets/{bucket}',
    id: 'deleteBucket',
    tag: 'Buckets',
    summary: 'Delete a bucket without objects',
    description: 'For admins.',
    isWrite: true,
    parameters: [bucketName],
    answers: {
      204: { description: 'It is gone.' },
      400: 'The name cannot be read.',
      404: noBucket,
      409: 'It has objects in it.',
    },
  },
  {
    method: 'get',
    path: '/api/objects/{bucket}',
    id: 'listObjects',
    tag: 'Objects',
    summary: 'List objects',
    description: 'Shows what the grants cover, in the order of bytes.',
    parameters: [
      bucketName,
      inQuery('prefix', 'What keys begin with.', { type: 'string' }),
      inQuery('delimiter', 'Keys that have it behind the prefix become one entry of `prefixes`.', {
        type: 'string',
      }),
      inQuery('after', 'Only keys behind this one.', { type: 'string' }),
      inQuery('limit', `So many at most; ${MAX_PAGE_OBJECTS} unless told.`, {
        ...wholeNumber(1, MAX_PAGE_OBJECTS),
        default: MAX_PAGE_OBJECTS,
      }),
    ],
    answers: {
      200: {
        description: 'A page.',
        headers: ['Link'],
        content: json(objectPageAnswer, {
          objects: [
            {
              key: 'ada/1.bin',
              size: 5,
              etag: '"5d41402abc4b2a76b9719d911017c592"',
              time: '2026-01-31T12:00:00.000Z',
              acl: 'private',
            },
          ],
          prefixes: [],
        }),
      },
      400: 'The query cannot be read, or the limit cannot be.',
      404: noBucket,
    },
  },
  {
    method: 'post',
    path: '/api/presign',
    id: 'presign',
    tag: 'Objects',
    summary: 'Sign a URL for one request for one object',
    description:
      "Whoever has the URL can do that one thing until it expires. Signed with the caller's oldest access key; one is made where there is none.",
    isWrite: true,
    request: {
      content: json(presignInput, {
        method: 'PUT',
        bucket: 'replays',
        key: 'ada/1.bin',
        expiresIn: 600,
      }),
    },
    answers: {
      200: {
        description: 'The URL.',
        headers: ['Cache-Control'],
        content: json(presignAnswer, {
          url: 'https://localhost:6375/replays/ada/1.bin?X-Amz-Algorithm=AWS4-HMAC-SHA256',
        }),
      },
      400: 'The body cannot be.',
      404: noBucket,
    },
  },
];
