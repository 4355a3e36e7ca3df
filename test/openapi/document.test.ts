import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRouter } from '../../server/app.ts';
import { operations } from '../../server/openapi/operations.ts';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { createAnswerChecker } from './answer-checker.ts';
import {
  type OpenApiContent,
  type OpenApiDocument,
  placedOperations,
  resolve,
} from './document.ts';

/** `GET /api/openapi.json`: the document itself. What it says of the server is tested in answers.test.ts. */

const PATH = '/api/openapi.json';

let server: TestServer;
let document: OpenApiDocument;

beforeAll(async () => {
  server = await startServer();
  document = await documentOf(server);
});

afterAll(() => server.stop());

async function documentOf({ url }: TestServer): Promise<OpenApiDocument> {
  const { status, json } = await createRest(url)('GET', PATH);
  expect(status).toBe(200);
  return json as OpenApiDocument;
}

describe('the document', () => {
  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const result = await new Validator().validate({ ...structuredClone(document) });
    expect(result).toEqual({ valid: true });
    const broken = { ...structuredClone(document), info: { title: 'without a version' } };
    expect((await new Validator().validate(broken)).valid).toBe(false);
  });

  it('names each operation once', () => {
    const ids = operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const places = operations.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it('explains each tag that an operation has, and no other', () => {
    const used = new Set(operations.map(({ tag }) => tag));
    expect(new Set(document.tags.map(({ name }) => name))).toEqual(used);
  });

  it('has examples that are what their schemas say', () => {
    const checker = createAnswerChecker(document);
    let count = 0;
    const check = (content: OpenApiContent = {}): void => {
      for (const { schema, example } of Object.values(content)) {
        if (!schema || example === undefined) continue;
        count += 1;
        expect(checker.problemsOfExample(schema, example), JSON.stringify(example)).toEqual([]);
      }
    };
    for (const { operation } of placedOperations(document)) {
      check(operation.requestBody?.content);
      for (const response of Object.values(operation.responses)) {
        check(resolve(document, response).content);
      }
    }
    expect(count).toBeGreaterThan(30);
  });

  it('names the parameters of its paths', () => {
    for (const { template, operation } of placedOperations(document)) {
      const named = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => name);
      expect(named, template).toEqual([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  it('closes what the server answers: only documents, forms and S3 errors have members of any name', () => {
    const open = Object.entries(document.components.schemas)
      .filter(([, schema]) => JSON.stringify(schema).includes('"type":"object"'))
      .filter(
        ([name, schema]) =>
          !name.endsWith('Input') &&
          !JSON.stringify(schema).includes('"additionalProperties":false'),
      )
      .map(([name]) => name);
    expect(open).toEqual(['Document', 'S3Error']);
  });
});

describe('its servers', () => {
  it('are the one that it came from', () => {
    expect(document.servers).toEqual([{ url: '/' }]);
  });

  it('are PUBLIC_URL, and the others may sign where ANONYMOUS_SIGNING says so', async () => {
    const gateway = await startServer({
      env: {
        PUBLIC_URL: 'https://saves.example/keystow',
        ANONYMOUS_SIGNING: 'on',
        ACCESS_KEY_ID: 'AKIDGATEWAY',
        SECRET_ACCESS_KEY: 'a-secret-of-the-gateway',
      },
    });
    try {
      const { servers, paths } = await documentOf(gateway);
      expect(servers).toEqual([{ url: 'https://saves.example/keystow' }]);
      const sign = '/api/v2/s3/create_signed_url';
      expect(paths[sign]?.['post']?.security).toEqual([{ basic: [] }, {}]);
      expect(document.paths[sign]?.['post']?.security).toBeUndefined();
    } finally {
      await gateway.stop();
    }
  });
});

describe('GET', () => {
  it('is the same each time, and for who has it 304', async () => {
    const rest = createRest(server.url);
    const first = await rest('GET', PATH);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await rest('GET', PATH)).text).toBe(first.text);
    const known = await rest('GET', PATH, undefined, { 'if-none-match': etag });
    expect([known.status, known.text, known.headers.get('etag')]).toEqual([304, '', etag]);
  });

  it('wants credentials, as every route but /api/health', async () => {
    expectError(await sendRequest(server.url, { path: PATH, credentials: null }), 401);
  });
});

describe('routes and operations', () => {
  /** Takes whatever is done to it: routes are made, and never called. */
  const nothing: unknown = new Proxy(() => nothing, { get: () => nothing, apply: () => nothing });

  /** `/data/:key`, `/^\/data\/.*$/s` and `/data/{key}` are one path. */
  function withoutNames(path: string | RegExp): string {
    if (typeof path === 'string') return path.replace(/:\w+|\{\w+\}/g, '{}');
    const [, fixed] = /^\^(.*\\\/)\.\*\$$/.exec(path.source) ?? [];
    if (fixed === undefined) throw new Error(`Say here how ${path} stands in the document.`);
    return `${fixed.replaceAll('\\/', '/')}{}`;
  }

  it('are the same', () => {
    const router = createRouter(nothing as Parameters<typeof createRouter>[0]);
    const routes = router.stack.flatMap(({ path, methods }) =>
      methods.map((method) => `${method} ${withoutNames(path)}`),
    );
    const documented = operations
      .filter(({ tag }) => tag !== 'S3')
      .map(({ method, path }) => `${method.toUpperCase()} ${withoutNames(path)}`);
    // A HEAD is answered wherever a GET is, and documented where it is of use.
    const heads = new Set(routes.filter((route) => route.startsWith('HEAD ')));
    expect(routes.filter((route) => !documented.includes(route) && !heads.has(route))).toEqual([]);
    expect(documented.filter((operation) => !routes.includes(operation))).toEqual([]);
    expect(routes.length).toBeGreaterThan(20);
  });
});
