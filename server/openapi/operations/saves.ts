import { z } from 'zod';
import {
  MAX_PAGE_SLOTS,
  MAX_SAVE_PREFIX_BYTES,
  SHORT_FORM_SECONDS,
} from '../../../shared/limits.ts';
import { errorAnswer } from '../../http/error-boundary.ts';
import { restoreInput, saveFormAnswer } from '../../http/routes/saves.ts';
import { MAX_SAVE_N, MAX_SAVE_VERSION } from '../../s3/save-key.ts';
import { saveFormInput } from '../../services/form-input.ts';
import { saveVersionAnswer, slotAnswer } from '../../services/saves.ts';
import {
  type Answer,
  type ApiOperation,
  ifMatch,
  ifNoneMatch,
  inHeader,
  inPath,
  inQuery,
  json,
  type Parameter,
  wholeNumber,
} from '../operation.ts';

const tag = 'Saves';

const bucket = inPath(
  'bucket',
  'A bucket made with `saves: true`.',
  { type: 'string', minLength: 3, maxLength: 63 },
  'game-saves',
);
const slot = inPath(
  'slot',
  'A number of at most 11 digits.',
  { type: 'string', pattern: '^\\d{1,11}$' },
  '7',
);
const version = inPath(
  'version',
  'A version, or `latest`.',
  { anyOf: [{ const: 'latest' }, wholeNumber(0, MAX_SAVE_VERSION)] },
  'latest',
);
const scope = [
  inQuery('prefix', "The prefix of the keys: the bucket's `savePrefix` unless told.", {
    type: 'string',
    maxLength: MAX_SAVE_PREFIX_BYTES,
  }),
  inQuery('n', 'The number behind `/ds/` in the keys; 1 unless told.', {
    ...wholeNumber(0, MAX_SAVE_N),
    default: 1,
  }),
];
const conditions = ['If-Modified-Since', 'If-Unmodified-Since'];
const ofBytes: readonly Parameter[] = [
  bucket,
  slot,
  version,
  ...scope,
  ifMatch,
  ifNoneMatch,
  ...conditions.map((name) => inHeader(name, 'As RFC 9110 says.')),
];

const noSaves = 'There is no such bucket with saves, or nothing is saved there.';
const malformed = 'The slot or the query cannot be read, or the bucket has no savePrefix.';
const saved = {
  version: 2,
  key: 'game/ds/1/data/00000000007-00002',
  size: 5,
  etag: '"5d41402abc4b2a76b9719d911017c592"',
  time: '2026-01-31T12:00:00.000Z',
};

const bytesHeaders = [
  'ContentHash',
  'Last-Modified',
  'Accept-Ranges',
  'Content-Security-Policy',
] as const;
const bytes: Answer = {
  description: 'The bytes, with the Content-Type that they were uploaded with.',
  headers: bytesHeaders,
  content: { '*/*': {} },
};
const bytesAnswers = {
  304: { description: 'The client has them already.', headers: bytesHeaders },
  400: malformed,
  404: noSaves,
  412: 'A precondition does not hold.',
} as const;

export const saveOperations: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/api/saves/{bucket}',
    id: 'listSlots',
    tag,
    summary: 'List slots',
    parameters: [
      bucket,
      ...scope,
      inQuery('after', 'Only slots behind this one.', { type: 'string', pattern: '^\\d{1,11}$' }),
      inQuery('limit', `So many at most; ${MAX_PAGE_SLOTS} unless told.`, {
        ...wholeNumber(1, MAX_PAGE_SLOTS),
        default: MAX_PAGE_SLOTS,
      }),
    ],
    answers: {
      200: {
        description: 'The slots, by number.',
        headers: ['Link'],
        content: json(z.array(slotAnswer), [
          { slot: '00000000007', latest: 2, time: '2026-01-31T12:00:00.000Z' },
        ]),
      },
      400: malformed,
      404: noSaves,
    },
  },
  {
    method: 'post',
    path: '/api/saves/{bucket}/{slot}',
    id: 'signSave',
    tag,
    summary: "Sign the form for a slot's next version",
    description: `Signature Version 2 unless told, good for ${SHORT_FORM_SECONDS / 60} minutes.`,
    isWrite: true,
    parameters: [bucket, slot, ...scope],
    request: {
      isOptional: true,
      content: json(saveFormInput, { size: 5, signatureVersion: 'v4' }),
    },
    answers: {
      200: {
        description: 'The form.',
        content: json(saveFormAnswer, {
          slot: '00000000007',
          version: 2,
          key: saved.key,
          url: 'https://localhost:6375/game-saves',
          fields: {
            key: saved.key,
            acl: 'private',
            policy: 'eyJleHBpcmF0aW9uIjoi…',
            'x-amz-credential': 'ADAS.KEY.1/20260131/us-east-1/s3/aws4_request',
            'x-amz-algorithm': 'AWS4-HMAC-SHA256',
            'x-amz-date': '20260131T120000Z',
            'x-amz-signature': '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',
          },
        }),
      },
      400: malformed,
      404: noSaves,
      409: `The slot has its last version, ${MAX_SAVE_VERSION}.`,
    },
  },
  {
    method: 'get',
    path: '/api/saves/{bucket}/{slot}',
    id: 'listVersions',
    tag,
    summary: 'List the versions that are kept of a slot',
    parameters: [bucket, slot, ...scope],
    answers: {
      200: {
        description: 'The versions, the oldest first.',
        content: json(z.array(saveVersionAnswer), [saved]),
      },
      400: malformed,
      404: noSaves,
    },
  },
  {
    method: 'get',
    path: '/api/saves/{bucket}/{slot}/{version}',
    id: 'getSave',
    tag,
    summary: 'Read the bytes of a version',
    description: 'Not over Socket.IO.',
    parameters: [...ofBytes, inHeader('Range', 'Which bytes (RFC 9110).')],
    answers: {
      200: bytes,
      206: {
        ...bytes,
        description: 'The bytes of the range.',
        headers: [...bytesHeaders, 'Content-Range'],
      },
      ...bytesAnswers,
      416: {
        description: 'There are no bytes in the range.',
        headers: ['Content-Range'],
        content: json(errorAnswer),
      },
    },
  },
  {
    method: 'head',
    path: '/api/saves/{bucket}/{slot}/{version}',
    id: 'headSave',
    tag,
    summary: 'Ask for the size and the ETag of a version',
    parameters: ofBytes,
    answers: { 200: { description: 'It is there.', headers: bytesHeaders }, ...bytesAnswers },
  },
  {
    method: 'post',
    path: '/api/saves/{bucket}/{slot}/restore',
    id: 'restoreSave',
    tag,
    summary: 'Make an old version the newest one, under a new number',
    isWrite: true,
    parameters: [bucket, slot, ...scope],
    request: { content: json(restoreInput, { version: 1 }) },
    answers: {
      201: { description: 'The new version.', content: json(saveVersionAnswer, saved) },
      400: malformed,
      404: noSaves,
      409: `The slot has its last version, ${MAX_SAVE_VERSION}, or the old one was removed meanwhile.`,
    },
  },
];
