import { z } from 'zod';
import type { Change, ChangePage, FeedError } from '../../../shared/changes.ts';
import { HEARTBEAT_MS, MAX_PAGE_CHANGES, MAX_WAIT_SECONDS } from '../../../shared/limits.ts';
import { errorAnswer } from '../../http/error-boundary.ts';
import { quotedEtag, time } from '../../services/answer-parts.ts';
import {
  type Answer,
  type ApiOperation,
  inHeader,
  inQuery,
  json,
  wholeNumber,
} from '../operation.ts';

const seq = z.int().min(0);

const change = z
  .strictObject({
    seq,
    type: z.enum(['put', 'delete']),
    url: z.string(),
    etag: quotedEtag.exactOptional().meta({
      description: 'Absent for a deletion, and for an object that was changed again since.',
    }),
    at: time,
  })
  .meta({ id: 'Change' }) satisfies z.ZodType<Change>;

const changePage = z
  .strictObject({
    changes: z.array(change),
    next: seq.meta({ description: '`since` of the next page.' }),
  })
  .meta({ id: 'ChangePage' }) satisfies z.ZodType<ChangePage>;

const oldest = seq.meta({ description: 'The smallest number that can be gone on from.' });

const gone = errorAnswer.extend({ oldest }).meta({ id: 'Gone' }) satisfies z.ZodType<FeedError>;

/** The last event of a stream that the server ends. */
const feedEnd = errorAnswer
  .extend({ status: z.int(), oldest: oldest.exactOptional() })
  .meta({ id: 'FeedEnd' }) satisfies z.ZodType<FeedError>;

const example: ChangePage = {
  changes: [
    { seq: 42, type: 'put', url: '/data/players/7', etag: '"42"', at: '2026-01-31T12:00:00.000Z' },
  ],
  next: 42,
};

const cursor = { type: 'integer', minimum: 0 } as const;

function refusal(description: string, schema: z.ZodType = errorAnswer): Answer {
  return { description, headers: ['Cache-Control'], content: json(schema) };
}

export const changeOperations: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/api/changes',
    id: 'listChanges',
    tag: 'Changes',
    summary: 'Hear what was written, once each and in order',
    description: `A page as JSON, or with \`Accept: text/event-stream\` changes as they come, and a comment every ${HEARTBEAT_MS / 1_000} s. Shows what the grants cover, so numbers may have gaps. Over Socket.IO a stream is \`watch\`.`,
    parameters: [
      inQuery(
        'since',
        'The last number that is known. Without it, a page begins with the oldest change, a stream with the next one.',
        cursor,
      ),
      inQuery('prefix', 'What paths begin with, such as `/data/players/`.', { type: 'string' }),
      inQuery('limit', 'So many changes at most in a page; 100 unless told.', {
        ...wholeNumber(1, MAX_PAGE_CHANGES),
        default: 100,
      }),
      inQuery('wait', 'Seconds that a page may wait for a first change; 0 unless told.', {
        ...wholeNumber(0, MAX_WAIT_SECONDS),
        default: 0,
      }),
      inHeader('Last-Event-ID', 'What a browser that reconnects says in the place of `since`.'),
    ],
    answers: {
      200: {
        description: 'A page, or a stream.',
        headers: ['Cache-Control', 'X-Accel-Buffering'],
        content: {
          ...json(changePage, example),
          'text/event-stream': {
            schema: z.union([change, feedEnd]).meta({
              description:
                'The data of one event: `change`, whose id is its number, or `end`, which says why the server ends the stream.',
            }),
          },
        },
      },
      400: refusal('The query or Last-Event-ID cannot be read.'),
      410: refusal('The log does not reach back to `since`, or has not come to it yet.', gone),
      503: {
        ...refusal('Too many feeds are open, or the server is stopping.'),
        headers: ['MaybeRetryAfter', 'MaybeCacheControl'],
      },
    },
  },
];
