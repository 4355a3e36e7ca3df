import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import {
  type Json,
  type OpenApiContent,
  type OpenApiDocument,
  type OpenApiParameter,
  type Placed,
  placedOperations,
  resolve,
} from './document.ts';

/** A request that was sent, and what came back. */
export interface Exchange {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: SentBody | undefined;
  readonly answer: {
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
  };
}

/** The media type, and what was said in it; undefined where that was nothing that can be read. */
export interface SentBody {
  readonly type: string;
  readonly value: Json | undefined;
}

export interface AnswerChecker {
  /** In what the exchange departs from the document. */
  problems(exchange: Exchange): string[];
  /** The operation that a request is for. */
  operationOf(exchange: Pick<Exchange, 'method' | 'path'>): Placed | undefined;
  /** What is wrong with the value by the schema that the pointer refers to. */
  problemsOfExample(schema: object, value: Json): string[];
}

/** What HTTP itself, pages of other origins and browsers ask of answers: no operation says it. */
const GENERAL_HEADERS =
  /^(date|connection|keep-alive|content-type|content-length|transfer-encoding|vary|x-content-type-options|access-control-.*|allow)$/;

export function createAnswerChecker(document: OpenApiDocument): AnswerChecker {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  // ajv-formats is CommonJS.
  (formats as unknown as typeof formats.default)(ajv);
  ajv.addVocabulary(['xml']);
  ajv.addSchema(
    Object.entries(document.components.schemas).map(([name, schema]) => ({
      ...(located(schema) as object),
      $id: uriOf(`#/components/schemas/${name}`),
    })),
  );
  const placed = placedOperations(document)
    .map((place) => ({ place, pattern: patternOf(place.template) }))
    .sort(
      (a, b) =>
        b.pattern.source.replace(/\[.*?\]\+/g, '').length -
        a.pattern.source.replace(/\[.*?\]\+/g, '').length,
    );
  const compiled = new Map<object, ValidateFunction>();

  function schemaProblems(schema: object, value: unknown, what: string): string[] {
    let validate = compiled.get(schema);
    if (!validate) {
      validate = ajv.compile(located(schema as Json) as object);
      compiled.set(schema, validate);
    }
    return validate(value) ? [] : (validate.errors ?? []).map((error) => describe(what, error));
  }

  function contentProblems(content: OpenApiContent, type: string, text: string): string[] {
    const media = content[type] ?? content['*/*'];
    if (!media) return [`has a body of ${type || 'no type'}, which is not documented`];
    const { schema } = media;
    if (!schema) return [];
    return valuesOf(type, text).flatMap((value) => schemaProblems(schema, value, 'the body'));
  }

  function answerProblems(
    { operation, method }: Placed,
    { status, headers, text }: Exchange['answer'],
  ): string[] {
    const documented = operation.responses[status];
    if (!documented) return [`answers ${status}, which is not documented`];
    const { headers: names = {}, content } = resolve(document, documented);
    const problems: string[] = [];
    for (const [name, header] of Object.entries(names)) {
      const { required, schema } = resolve(document, header);
      const value = headers.get(name);
      if (value !== null) problems.push(...schemaProblems(schema, value, name));
      else if (required) problems.push(`lacks the header ${name}`);
    }
    const known = new Set(Object.keys(names).map((name) => name.toLowerCase()));
    for (const [name] of headers) {
      if (!known.has(name) && !GENERAL_HEADERS.test(name)) {
        problems.push(`has the header ${name}, which is not documented`);
      }
    }
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    if (content && method !== 'HEAD') problems.push(...contentProblems(content, type, text));
    else if (text !== '') problems.push('has a body, which is not documented');
    return problems;
  }

  function parameterProblems({ operation, template }: Placed, path: string): string[] {
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    const values = patternOf(template).exec(pathname)?.groups ?? {};
    const given: [OpenApiParameter['in'], string, string][] = [
      ...Object.entries(values).map(
        ([name, value]) =>
          ['path', name, decodeURIComponent(value)] as [OpenApiParameter['in'], string, string],
      ),
      ...[...searchParams].map(
        ([name, value]) => ['query', name, value] as [OpenApiParameter['in'], string, string],
      ),
    ];
    return given.flatMap(([place, name, text]) => {
      const parameter = operation.parameters?.find((one) => one.in === place && one.name === name);
      if (!parameter) return [`takes the parameter ${name}, which is not documented`];
      const isNumber = /^\d+$/.test(text) && parameter.schema.type !== 'string';
      return schemaProblems(parameter.schema, isNumber ? Number(text) : text, name);
    });
  }

  /** What was accepted has to be what the document says of requests. */
  function requestProblems(place: Placed, { path, body }: Exchange): string[] {
    const problems = parameterProblems(place, path);
    const { requestBody } = place.operation;
    if (!body) return requestBody?.required ? [...problems, 'takes no body'] : problems;
    const schema = requestBody?.content[body.type]?.schema;
    if (!schema) return [...problems, `takes ${body.type}, which is not documented`];
    return [...problems, ...schemaProblems(schema, body.value, 'the request')];
  }

  function operationOf({ method, path }: Pick<Exchange, 'method' | 'path'>): Placed | undefined {
    const [pathname = ''] = path.split('?');
    return placed.find(({ place, pattern }) => place.method === method && pattern.test(pathname))
      ?.place;
  }

  return {
    operationOf,
    problems(exchange) {
      const place = operationOf(exchange);
      if (!place) return [`${exchange.method} ${exchange.path} is not documented`];
      const { answer } = exchange;
      return [
        ...answerProblems(place, answer),
        ...(answer.status < 400 ? requestProblems(place, exchange) : []),
      ];
    },
    problemsOfExample: (schema, value) => schemaProblems(schema, value, 'the example'),
  };
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}

/** References within the document, as the validator finds them. */
function located(schema: Json): Json {
  const text = JSON.stringify(schema).replace(
    /"\$ref":"(#\/components\/schemas\/\w+)"/g,
    (_, ref: string) => `"$ref":"${uriOf(ref)}"`,
  );
  return JSON.parse(text);
}

function uriOf(ref: string): string {
  return `keystow:${ref.slice(ref.lastIndexOf('/') + 1)}`;
}

/** What a body says: several values where it has lines. */
function valuesOf(type: string, text: string): unknown[] {
  if (type === 'application/xml') return [flatXml(text)];
  if (type === 'application/x-ndjson') {
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
  if (type === 'text/event-stream') {
    return [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data = '']) => JSON.parse(data));
  }
  return [type === 'text/plain' ? text : JSON.parse(text)];
}

/** Elements with text in them, by name: S3's short answers have no others. */
function flatXml(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/<([\w-]+)>([^<]*)<\/\1>/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
}

function describe(what: string, { instancePath, message = '', params }: ErrorObject): string {
  return `${what}${instancePath} ${message} ${JSON.stringify(params)}`;
}
