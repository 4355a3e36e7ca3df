import { MAX_BATCH_BYTES, MAX_BATCH_MEMBERS } from '../../../shared/limits.ts';
import { type ApiOperation, type JsonSchema, json } from '../operation.ts';

const data = {
  anyOf: [{ $ref: '#/components/schemas/Document' }, { type: 'string' }],
} as const;

const member: JsonSchema = {
  type: 'object',
  required: ['url', 'method'],
  properties: {
    url: { type: 'string', description: '`/data/KEY`. No two members have the same key.' },
    method: { enum: ['POST', 'PUT', 'PATCH', 'DELETE'] },
    data: {
      description:
        'The body, stored as it is sent. A string is its text where the content type is JSON.',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: '`content-type` (of a patch), `if-match`, `if-none-match`, and `accept`.',
    },
  },
  additionalProperties: false,
};

const answer = {
  method: { type: 'string' },
  url: { type: 'string' },
  status: { type: 'integer' },
  statusText: { type: 'string' },
  headers: {
    type: 'object',
    minProperties: 1,
    properties: {
      etag: { type: 'string' },
      location: { type: 'string' },
      'retry-after': { type: 'string' },
    },
    additionalProperties: false,
  },
} as const;
const answered = ['method', 'url', 'status', 'statusText'] as const;

const answers: JsonSchema = {
  type: 'array',
  description: 'By the places of the members.',
  items: {
    type: 'object',
    required: answered,
    properties: {
      ...answer,
      data: {
        ...data,
        description: 'The document; as a string with its text where the member accepts text/plain.',
      },
    },
    additionalProperties: false,
  },
};

const refusal: JsonSchema = {
  type: 'object',
  required: ['error', 'answers'],
  properties: {
    error: { type: 'string' },
    answers: {
      type: 'array',
      description: 'Of the members that failed.',
      items: {
        type: 'object',
        required: ['index', ...answered, 'data'],
        properties: {
          index: { type: 'integer', minimum: 0, description: 'The place in the batch.' },
          ...answer,
          data: { $ref: '#/components/schemas/Error' },
        },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
};

export const batchOperations: readonly ApiOperation[] = [
  {
    method: 'post',
    path: '/api/batch',
    id: 'changeDocuments',
    tag: 'Documents',
    summary: 'Change several documents at once, or none',
    description: `All members are done in one commit, with consecutive numbers, or none is. Each is held to what it would be alone. The body has ${MAX_BATCH_BYTES} bytes at most, and so have the documents that are stored.`,
    isWrite: true,
    request: {
      content: json({ type: 'array', maxItems: MAX_BATCH_MEMBERS, items: member }, [
        { url: '/data/batch/1', method: 'PUT', data: ['lamp'], headers: { 'if-none-match': '*' } },
        { url: '/data/batch/2', method: 'POST', data: [] },
      ]),
    },
    answers: {
      200: { description: 'All was done.', content: json(answers) },
      400: 'It is no array, or a member does not say what to do with which key.',
      409: { description: 'Members failed: nothing was stored.', content: json(refusal) },
    },
  },
];
