import { z } from 'zod';
import { MAX_BATCH_BYTES, MAX_BATCH_MEMBERS } from '../../../shared/limits.ts';
import { errorAnswer } from '../../http/error-boundary.ts';
import { quotedEtag } from '../../services/answer-parts.ts';
import { type ApiOperation, type JsonSchema, json } from '../operation.ts';

const memberSchema: JsonSchema = {
  type: 'object',
  required: ['url', 'method'],
  properties: {
    url: { type: 'string', description: 'The path of a document, such as `/data/test`.' },
    method: { enum: ['POST', 'PUT', 'PATCH', 'DELETE'] },
    data: {
      description:
        'The body. With `application/json` in `content-type`, a string is the text of the document.',
    },
    headers: {
      type: 'object',
      description: '`content-type`, `accept`, `if-match` and `if-none-match` count.',
      additionalProperties: { type: 'string' },
    },
  },
  additionalProperties: false,
};

const inner = {
  method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
  url: z.string(),
  status: z.int(),
  statusText: z.string(),
};

const batchAnswer = z
  .strictObject({
    ...inner,
    headers: z.strictObject({ etag: quotedEtag, location: z.string().optional() }).optional(),
    data: z
      .unknown()
      .optional()
      .meta({
        anyOf: [{ $ref: '#/components/schemas/Document' }, { type: 'string' }],
        description: 'The document, or with `accept: text/plain` its text; absent for a deletion.',
      }),
  })
  .meta({ id: 'BatchAnswer' });

const batchFailure = z
  .strictObject({
    index: z
      .int()
      .min(0)
      .max(MAX_BATCH_MEMBERS - 1),
    ...inner,
    headers: z
      .strictObject({ etag: quotedEtag.optional(), 'retry-after': z.string().optional() })
      .meta({ minProperties: 1 })
      .optional(),
    data: errorAnswer,
  })
  .meta({ id: 'BatchFailure' });

const batchRefusal = errorAnswer
  .extend({ answers: z.array(batchFailure) })
  .meta({ id: 'BatchRefusal' });

export const batchOperations: readonly ApiOperation[] = [
  {
    method: 'post',
    path: '/api/batch',
    id: 'commitBatch',
    tag: 'Documents',
    summary: 'Change many documents at once, or none of them',
    description: `Each member is held to what it would be alone, and is for another key: ${MAX_BATCH_MEMBERS} members at most, and ${MAX_BATCH_BYTES} bytes as sent and as stored. They take consecutive numbers, in their order.`,
    isWrite: true,
    request: {
      content: json({ type: 'array', maxItems: MAX_BATCH_MEMBERS, items: memberSchema }, [
        { url: '/data/players/1', method: 'POST', data: { name: 'Eve' } },
        { url: '/data/players/7', method: 'PATCH', data: { level: 9 } },
      ]),
    },
    answers: {
      200: {
        description: 'The answers to the members, in their order.',
        content: json(z.array(batchAnswer), [
          {
            method: 'POST',
            url: '/data/players/1',
            status: 201,
            statusText: 'Created',
            headers: { etag: '"44"', location: '/data/players/1' },
            data: { name: 'Eve' },
          },
          {
            method: 'PATCH',
            url: '/data/players/7',
            status: 200,
            statusText: 'OK',
            headers: { etag: '"45"' },
            data: { name: 'Ada', level: 9 },
          },
        ]),
      },
      400: 'It is no batch: no array, a member that says not what to do with which key, a key twice.',
      409: {
        description: 'Nothing was stored; the answers of those members that failed.',
        content: json(batchRefusal, {
          error: 'Nothing was stored, since 1 of 2 members failed: mend them and send all again.',
          answers: [
            {
              index: 0,
              method: 'POST',
              url: '/data/players/1',
              status: 406,
              statusText: 'Not Acceptable',
              data: { error: 'players/1 already exists.' },
            },
          ],
        }),
      },
    },
  },
];
