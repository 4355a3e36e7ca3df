import {
  DEFAULT_MAX_DOCUMENT_BYTES,
  MAX_DOCUMENT_DEPTH,
  MAX_KEY_BYTES,
  MAX_PAGE_KEYS,
  MAX_PATCH_OPERATIONS,
} from '../../../shared/limits.ts';
import { errorAnswer } from '../../http/error-boundary.ts';
import {
  type Answer,
  type ApiOperation,
  ifMatch,
  ifNoneMatch,
  inPath,
  inQuery,
  type JsonSchema,
  json,
  wholeNumber,
} from '../operation.ts';

const tag = 'Documents';
const path = '/data/{key}';

/** Said in two: of one type generators make an object without members. */
const objectOrArray = {
  anyOf: [
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
  ],
} as const;

export const documentSchema: JsonSchema = {
  ...objectOrArray,
  description: `Any JSON object or array, nested at most ${MAX_DOCUMENT_DEPTH} deep, of at most MAX_DOCUMENT_BYTES (${DEFAULT_MAX_DOCUMENT_BYTES} unless set).`,
};
const documentRef: JsonSchema = { $ref: '#/components/schemas/Document' };
const example = { name: 'Ada', level: 7 };

const key = inPath(
  'key',
  `1 to ${MAX_KEY_BYTES} bytes of UTF-8 without NUL. A slash may stand as it is, or as %2F.`,
  { type: 'string', minLength: 1, maxLength: MAX_KEY_BYTES },
  'players/7',
);
const parameters = [key, ifMatch, ifNoneMatch];

const absent = 'There is no document with this key.';
const malformed = 'The key, the body or a precondition cannot be read.';
const precondition: Answer = {
  description: 'If-Match or If-None-Match does not hold.',
  headers: ['CurrentETag'],
  content: json(errorAnswer),
};
const stored: Answer = {
  description: 'The document.',
  headers: ['ETag'],
  content: json(documentRef, example),
};
const created: Answer = { ...stored, headers: ['ETag', 'Location'] };
const unchanged: Answer = {
  description: 'The client has it already, as If-None-Match says.',
  headers: ['ETag'],
};

const patches = {
  'application/json': {
    schema: {
      type: 'object',
      additionalProperties: true,
      description: 'Sets the named top-level members, makes those that are missing.',
    },
    example: { level: 8 },
  },
  'application/merge-patch+json': {
    schema: {
      ...objectOrArray,
      description: 'RFC 7396: members merge deeply, null removes.',
    },
    example: { level: 9, name: null },
  },
  'application/json-patch+json': {
    schema: {
      type: 'array',
      maxItems: MAX_PATCH_OPERATIONS,
      description: 'RFC 6902: all of it, or nothing where a `test` or a path fails.',
      items: {
        type: 'object',
        required: ['op', 'path'],
        properties: {
          op: { enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] },
          path: { type: 'string' },
          from: { type: 'string' },
          value: {},
        },
      },
    },
    example: [{ op: 'add', path: '/items', value: ['lamp'] }],
  },
} as const;

export const documentOperations: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/data',
    id: 'listDocuments',
    tag,
    summary: 'List keys, or export documents',
    description:
      'Shows what the grants cover, in the order of bytes. With `limit` it is a page, without it everything, streamed. A list that breaks off ends without its last chunk.',
    parameters: [
      inQuery('prefix', 'What keys begin with.', { type: 'string' }),
      inQuery('after', 'Only keys behind this one.', { type: 'string' }),
      inQuery('limit', 'So many at most.', wholeNumber(1, MAX_PAGE_KEYS)),
    ],
    answers: {
      200: {
        description: 'The keys; or with `Accept: application/x-ndjson` one document in each line.',
        headers: ['X-Keystow-Revision', 'Link'],
        content: {
          ...json({ type: 'array', items: { type: 'string' } }, ['players/7']),
          'application/x-ndjson': {
            schema: {
              type: 'object',
              description: 'One line.',
              required: ['key', 'etag', 'value'],
              properties: {
                key: { type: 'string' },
                etag: { type: 'string' },
                value: { $ref: '#/components/schemas/Document' },
              },
              additionalProperties: false,
            },
          },
        },
      },
      400: 'The query cannot be read, or the limit cannot be.',
    },
  },
  {
    method: 'post',
    path,
    id: 'createDocument',
    tag,
    summary: 'Create a document',
    isWrite: true,
    parameters,
    request: { isOptional: true, content: json(documentRef, example) },
    answers: {
      201: created,
      400: malformed,
      406: 'The key exists already.',
      412: precondition,
    },
  },
  {
    method: 'get',
    path,
    id: 'getDocument',
    tag,
    summary: 'Read a document',
    parameters,
    answers: { 200: stored, 304: unchanged, 400: malformed, 404: absent, 412: precondition },
  },
  {
    method: 'head',
    path,
    id: 'headDocument',
    tag,
    summary: 'Ask whether a document is there, and for its ETag',
    parameters,
    answers: {
      200: { description: 'It is there.', headers: ['ETag'] },
      304: unchanged,
      400: malformed,
      404: absent,
      412: precondition,
    },
  },
  {
    method: 'put',
    path,
    id: 'replaceDocument',
    tag,
    summary: 'Replace a document, or create it with `If-None-Match: *`',
    isWrite: true,
    parameters,
    request: { content: json(documentRef, example) },
    answers: {
      200: stored,
      201: { ...created, description: 'The document, which was created.' },
      400: malformed,
      404: absent,
      412: precondition,
    },
  },
  {
    method: 'patch',
    path,
    id: 'patchDocument',
    tag,
    summary: 'Change a part of a document',
    isWrite: true,
    parameters,
    request: { content: patches },
    answers: {
      200: { ...stored, content: json(documentRef) },
      400: malformed,
      404: absent,
      409: 'A `test` or a path of the patch fails, or members were sent for an array.',
      412: precondition,
      415: {
        description: 'The body is of another media type than these.',
        headers: ['Accept-Patch'],
        content: json(errorAnswer),
      },
    },
  },
  {
    method: 'delete',
    path,
    id: 'deleteDocument',
    tag,
    summary: 'Delete a document',
    isWrite: true,
    parameters,
    answers: {
      204: { description: 'It is gone.' },
      400: malformed,
      404: absent,
      412: precondition,
    },
  },
];
