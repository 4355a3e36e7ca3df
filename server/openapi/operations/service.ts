import { aboutAnswer, healthAnswer } from '../../http/routes/health.ts';
import { version } from '../../version.ts';
import { type ApiOperation, ifNoneMatch, inQuery, json } from '../operation.ts';

/** What the server tells of itself. */

const tag = 'Service';
const anyObject = { type: 'object', additionalProperties: true };
const anyArray = { type: 'array', items: {} };

export const serviceOperations: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/api/health',
    id: 'health',
    tag,
    summary: 'Ask whether the server lives, or with `?ready` whether it takes requests',
    auth: 'none',
    parameters: [inQuery('ready', 'Asks the store, too.', { type: 'string', maxLength: 0 })],
    answers: {
      200: { description: 'It does.', content: json(healthAnswer, { status: 'ok', version }) },
      400: 'The query cannot be read.',
      503: 'With `?ready`: the server is stopping, or its store does not answer.',
    },
  },
  {
    method: 'get',
    path: '/',
    id: 'about',
    tag,
    summary: 'Ask what this is',
    description: "A browser is sent to the console. To a signed request it is S3's ListBuckets.",
    auth: 'none',
    answers: {
      200: { description: 'It is this.', content: json(aboutAnswer, { name: 'keystow', version }) },
      302: {
        description: 'For `Accept: text/html`: to the console.',
        headers: ['Location'],
        content: { 'text/html': {} },
      },
    },
  },
  {
    method: 'get',
    path: '/api/openapi.json',
    id: 'openapi',
    tag,
    summary: 'This document',
    parameters: [ifNoneMatch],
    answers: {
      200: {
        description: 'The document.',
        headers: ['DocumentETag', 'Cache-Control'],
        content: json({
          type: 'object',
          description: 'OpenAPI 3.1.',
          required: ['openapi', 'info', 'servers', 'security', 'tags', 'paths', 'components'],
          properties: {
            openapi: { type: 'string', pattern: '^3\\.1\\.\\d+$' },
            info: anyObject,
            servers: anyArray,
            security: anyArray,
            tags: anyArray,
            externalDocs: anyObject,
            paths: anyObject,
            components: anyObject,
          },
          additionalProperties: false,
        }),
      },
      304: {
        description: 'The client has it already.',
        headers: ['DocumentETag', 'Cache-Control'],
      },
      400: 'If-None-Match cannot be read.',
    },
  },
];
