import { z } from 'zod';
import { FAILURE_WINDOW_SECONDS, MAX_FAILURES_PER_USER } from '../../shared/limits.ts';
import { errorAnswer } from '../http/error-boundary.ts';
import { type Header, type HeaderName, headers } from './headers.ts';
import {
  type Answer,
  type ApiOperation,
  type Content,
  type JsonSchema,
  json,
  type Parameter,
  type Schema,
} from './operation.ts';
import { documentSchema } from './operations/documents.ts';
import { s3ErrorSchema } from './operations/uploads.ts';

/** The OpenAPI document of the operations: https://spec.openapis.org/oas/v3.1.1.html */

export interface DocumentOptions {
  readonly version: string;
  /** Undefined: the server that the document came from. */
  readonly publicUrl: string | undefined;
  /** `create_signed_url` needs no credentials. */
  readonly anonymousSigning: boolean;
}

const tags = [
  ['Documents', 'JSON by key, with ETags and preconditions.'],
  ['Changes', 'What was written, live.'],
  ['Users', 'Who may do what: roles and grants.'],
  ['Access keys', 'What signs forms, URLs and requests of S3 clients on behalf of a user.'],
  ['Buckets', 'What objects lie in.'],
  ['Objects', 'Bytes by bucket and key, for those without an S3 client at hand.'],
  ['Signed forms', 'Forms that others upload with, who know no secret.'],
  ['Saves', 'Saves in numbered versions.'],
  ['Service', 'The server itself.'],
  ['Operating', 'For operators and their tools.'],
  ['S3', 'Buckets and objects over the API of S3 itself.'],
] as const;

/** What many operations answer. */
const common = {
  BadCredentials: {
    description: 'No credentials, or wrong ones.',
    headers: ['WWW-Authenticate'],
    content: json(errorAnswer),
  },
  Forbidden: {
    description: 'The grants do not allow it, or the request came from a page of another origin.',
    content: json(errorAnswer),
  },
  ForeignOrigin: {
    description: 'The request came from a page of another origin.',
    content: json(errorAnswer),
  },
  TooLarge: { description: 'The body is too large.', content: json(errorAnswer) },
  NotJson: {
    description: 'The body is of another Content-Type, or has a Content-Encoding.',
    content: json(errorAnswer),
  },
  TooManyAttempts: {
    description: `More than ${MAX_FAILURES_PER_USER} wrong passwords within ${FAILURE_WINDOW_SECONDS} s.`,
    headers: ['Retry-After'],
    content: json(errorAnswer),
  },
  Unexpected: { description: 'An unexpected error.', content: json(errorAnswer) },
  UnknownCoding: {
    description: 'A Transfer-Encoding that is not chunked.',
    content: json(errorAnswer),
  },
  Unavailable: {
    description: 'The store, or the queue for passwords, takes nothing more for now.',
    headers: ['MaybeRetryAfter'],
    content: json(errorAnswer),
  },
  DiskFull: { description: 'The disk is full; reads go on.', content: json(errorAnswer) },
} as const satisfies Record<string, Answer>;

type CommonName = keyof typeof common;

export function renderDocument(
  operations: readonly ApiOperation[],
  { version, publicUrl, anonymousSigning }: DocumentOptions,
): JsonSchema {
  const schemas = new Map<string, JsonSchema>([
    ['Document', documentSchema],
    ['S3Error', s3ErrorSchema],
  ]);

  /** Schemas with an id become components. */
  function renderSchema(schema: Schema, io: 'input' | 'output'): JsonSchema {
    if (!(schema instanceof z.ZodType)) return schema;
    const text = JSON.stringify(z.toJSONSchema(schema, { io }));
    const { $schema, $defs, ...rendered } = JSON.parse(
      text.replaceAll('"#/$defs/', '"#/components/schemas/'),
    );
    for (const [id, definition] of Object.entries<JsonSchema>($defs ?? {})) {
      const earlier = schemas.get(id);
      if (earlier && JSON.stringify(earlier) !== JSON.stringify(definition)) {
        throw new Error(`Requests and answers have different schemas of the name ${id}.`);
      }
      schemas.set(id, definition);
    }
    return rendered;
  }

  function renderContent(content: Content, io: 'input' | 'output'): JsonSchema {
    return mapValues(content, ({ schema, ...media }) =>
      schema === undefined ? media : { schema: renderSchema(schema, io), ...media },
    );
  }

  function renderAnswer({ description, headers: names = [], content }: Answer): JsonSchema {
    return {
      description,
      headers: Object.fromEntries(
        (['X-Request-Id', ...names] as const).map((name) => [
          nameOf(name),
          { $ref: `#/components/headers/${name}` },
        ]),
      ),
      ...(content === undefined ? {} : { content: renderContent(content, 'output') }),
    };
  }

  function renderOperation(operation: ApiOperation): JsonSchema {
    const { id, tag, summary, description, parameters, request, externalDocs } = operation;
    const answers = {
      ...mapValues(commonAnswers(operation), (name) => ({
        $ref: `#/components/responses/${name}`,
      })),
      ...mapValues(operation.answers, (answer) =>
        renderAnswer(
          typeof answer === 'string' ? { description: answer, content: json(errorAnswer) } : answer,
        ),
      ),
    };
    return {
      operationId: id,
      tags: [tag],
      summary,
      ...(description === undefined ? {} : { description }),
      ...(externalDocs ? { externalDocs } : {}),
      ...securityOf(operation, anonymousSigning),
      ...(parameters ? { parameters: parameters.map(renderParameter) } : {}),
      ...(request
        ? {
            requestBody: {
              required: !request.isOptional,
              content: renderContent(request.content, 'input'),
            },
          }
        : {}),
      responses: answers,
    };
  }

  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of operations) {
    const { method, path } = operation;
    paths[path] = { ...paths[path], [method]: renderOperation(operation) };
  }
  const responses = mapValues(common, renderAnswer);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Keystow',
      version,
      summary: 'An authenticated JSON key-value store and save-data server.',
      description:
        'Every error is `{"error"}`: one sentence that says what to change. A HEAD is answered wherever a GET is. The same requests go over Socket.IO, as the event `http message`, but for forms, streams and NDJSON. Paths that are not in here are those of S3.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicUrl ?? '/' }],
    security: [{ basic: [] }],
    externalDocs: {
      description: 'The S3 API, for all paths that are not in here',
      url: 'https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html',
    },
    tags: tags.map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic', description: 'A user and their password.' },
        metricsToken: {
          type: 'http',
          scheme: 'bearer',
          description: 'METRICS_TOKEN, if it is set.',
        },
      },
      headers: mapValues(headers, renderHeader),
      responses,
      schemas: Object.fromEntries(schemas),
    },
  };
}

/** What operations of their kind answer besides what they say themselves. */
function commonAnswers({
  tag,
  auth,
  request,
  isWrite,
}: ApiOperation): Readonly<Record<number, CommonName>> {
  if (tag === 'S3') return {};
  return {
    403: auth === 'none' ? 'ForeignOrigin' : 'Forbidden',
    ...(auth === 'none'
      ? {}
      : { 401: 'BadCredentials', 429: 'TooManyAttempts', 503: 'Unavailable' }),
    ...(request ? { 413: 'TooLarge', 415: 'NotJson', 501: 'UnknownCoding' } : {}),
    500: 'Unexpected',
    ...(isWrite ? { 507: 'DiskFull' } : {}),
  };
}

function securityOf({ auth }: ApiOperation, anonymousSigning: boolean): JsonSchema {
  if (auth === 'none') return { security: [] };
  if (auth === 'unless-anonymous-signing' && anonymousSigning) {
    return { security: [{ basic: [] }, {}] };
  }
  return auth === 'or-metrics-token' ? { security: [{ basic: [] }, { metricsToken: [] }] } : {};
}

function renderParameter(parameter: Parameter): JsonSchema {
  return parameter.in === 'path' ? { ...parameter, required: true } : { ...parameter };
}

function renderHeader({
  description,
  isRequired,
  schema = { type: 'string' },
}: Header): JsonSchema {
  return { description, required: isRequired, schema };
}

function nameOf(header: HeaderName): string {
  const { name = header }: Header = headers[header];
  return name;
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
