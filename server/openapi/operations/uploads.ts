import { DEFAULT_MAX_UPLOAD_BYTES } from '../../../shared/limits.ts';
import { cannedAcls } from '../../s3/canned-acl.ts';
import { FILENAME, MAX_FORM_FIELDS_BYTES } from '../../s3/form-fields.ts';
import { MAX_METADATA_BYTES } from '../../s3/object-attributes.ts';
import { MAX_OBJECT_KEY_BYTES } from '../../s3/object-key.ts';
import type { Answer, ApiOperation, Content, JsonSchema } from '../operation.ts';
import { bucketName } from './buckets.ts';

/** S3's POST Object, the one call of S3's that forms of browsers make. The others are S3's own to describe. */

const text: JsonSchema = { type: 'string' };

/** The fields of the form, in an order that works: those behind `file` are ignored. */
const fields = {
  key: {
    type: 'string',
    minLength: 1,
    maxLength: MAX_OBJECT_KEY_BYTES,
    description: `\`${FILENAME}\` in it, as in every field, is replaced by the name of the file.`,
  },
  bucket: { ...text, description: 'The bucket, where neither the path nor the Host names it.' },
  acl: { enum: cannedAcls },
  'Cache-Control': text,
  'Content-Type': text,
  'Content-Disposition': text,
  'Content-Encoding': text,
  Expires: text,
  tagging: { ...text, description: "S3's XML for tags." },
  'x-amz-storage-class': text,
  'Content-MD5': text,
  success_action_redirect: { ...text, format: 'uri' },
  success_action_status: { enum: ['200', '201', '204'] },
  policy: { ...text, description: 'What the form may upload: JSON in base64.' },
  AWSAccessKeyId: { ...text, description: 'Signature Version 2.' },
  signature: { ...text, description: 'Signature Version 2.' },
  'x-amz-algorithm': { const: 'AWS4-HMAC-SHA256', description: 'Signature Version 4.' },
  'x-amz-credential': { ...text, description: 'Signature Version 4.' },
  'x-amz-date': { ...text, description: 'Signature Version 4.' },
  'x-amz-signature': { ...text, description: 'Signature Version 4.' },
  'x-amz-security-token': { ...text, description: 'Of session credentials.' },
  file: {
    type: 'string',
    contentMediaType: 'application/octet-stream',
    description: `The bytes: the last field. MAX_UPLOAD_BYTES at most (${DEFAULT_MAX_UPLOAD_BYTES} unless set).`,
  },
};

const request: Content = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      description: `Names are case-insensitive; all fields but the file have at most ${MAX_FORM_FIELDS_BYTES} bytes, \`x-amz-meta-*\` among them ${MAX_METADATA_BYTES}. Checksums come as \`x-amz-checksum-*\`.`,
      required: ['key', 'file'],
      properties: fields,
      additionalProperties: text,
    },
  },
};

const s3Headers = ['x-amz-request-id', 'x-amz-id-2'] as const;
const stored = { headers: [...s3Headers, 'ContentHash', 'ObjectLocation'] } as const;

function failure(description: string): Answer {
  return {
    description,
    headers: s3Headers,
    content: { 'application/xml': { schema: { $ref: '#/components/schemas/S3Error' } } },
  };
}

export const s3ErrorSchema: JsonSchema = {
  type: 'object',
  xml: { name: 'Error' },
  description: "S3's error, with the further members that S3 gives.",
  required: ['Code', 'Message', 'RequestId', 'HostId'],
  properties: { Code: text, Message: text, RequestId: text, HostId: text },
  additionalProperties: text,
};

const postObject = {
  method: 'post',
  tag: 'S3',
  description:
    'The form is signed, by `createSignedUrl` for example; without a policy it is anonymous, for buckets that are public-read-write.',
  auth: 'none',
  request: { content: request },
  answers: {
    200: { ...stored, description: 'Stored, with `success_action_status` 200.' },
    201: {
      ...stored,
      description: 'Stored, with `success_action_status` 201.',
      content: {
        'application/xml': {
          schema: {
            type: 'object',
            xml: { name: 'PostResponse' },
            required: ['Location', 'Bucket', 'Key', 'ETag'],
            properties: { Location: text, Bucket: text, Key: text, ETag: text },
            additionalProperties: false,
          },
        },
      },
    },
    204: { ...stored, description: 'Stored.' },
    303: { ...stored, description: 'Stored, with `success_action_redirect`.' },
    400: failure('The form, a field, a checksum or the size cannot be.'),
    403: failure('The policy or the signature does not allow it.'),
    404: failure('There is no such bucket.'),
    412: failure('The body is no multipart/form-data.'),
    500: failure('An unexpected error.'),
    503: failure('Try again later.'),
    507: failure('The disk is full.'),
  },
  externalDocs: {
    description: 'POST Object',
    url: 'https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html',
  },
} as const;

export const uploadOperations: readonly ApiOperation[] = [
  {
    ...postObject,
    path: '/{bucket}',
    id: 'postObject',
    summary: 'Upload an object with a signed form',
    parameters: [bucketName],
  },
  {
    ...postObject,
    path: '/',
    id: 'postObjectByForm',
    summary: 'The same, to the bucket that the form itself names',
  },
];
