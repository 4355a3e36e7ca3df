import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../../server/openapi/operations.ts';
import { MAX_FAILURES_PER_USER } from '../../shared/limits.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { type AnswerChecker, createAnswerChecker, type Exchange } from './answer-checker.ts';
import { type ApiCaller, type CallOptions, createApiCaller } from './api-caller.ts';
import { type Json, type OpenApiDocument, type Placed, placedOperations } from './document.ts';
import { changedObjects, isObject } from './examples.ts';
import { driveOperations } from './scenario.ts';

/** The OpenAPI document is what the server does: every operation is sent, every answer compared. */

/** They take a fault of the store or of the disk: test/faults. */
const FAULTS = ['500', '503', '507'];
/** What clients stored is their answer, or it is the document itself, which has a schema of its own. */
const OF_CLIENTS = ['createDocument', 'getDocument', 'replaceDocument', 'patchDocument', 'openapi'];
/** Over the limit of a document, and of a request to `/api`. */
const TOO_LARGE = JSON.stringify({ text: 'x'.repeat(1_048_576) });

let server: S3Server;
let document: OpenApiDocument;
let checker: AnswerChecker;
let api: ApiCaller;
let placed: Placed[];
/** Of Node, such as of too many listeners: they would stand in the log of whoever runs the server. */
const warnings: string[] = [];
const onWarning = ({ message }: Error): void => {
  warnings.push(message);
};

beforeAll(async () => {
  process.on('warning', onWarning);
  server = await startS3Server();
  document = (await server.admin('GET', '/api/openapi.json')).json as OpenApiDocument;
  checker = createAnswerChecker(document);
  api = createApiCaller(server.url, document, checker);
  placed = placedOperations(document);
  await driveOperations(api.call);
});

afterAll(async () => {
  process.off('warning', onWarning);
  await server.stop();
});

function isS3({ operation }: Placed): boolean {
  return operation.tags.includes('S3');
}

/** Sends all operations of a kind, each in a way that has to be refused. */
async function refuseAll(
  status: number,
  isOfKind: (place: Placed) => boolean,
  options: CallOptions,
): Promise<void> {
  const kind = placed.filter((place) => !isS3(place) && isOfKind(place));
  expect(kind.length).toBeGreaterThan(2);
  for (const { operation } of kind) await api.call(operation.operationId, status, options);
}

/** Each way to be let in has a name; no ways: nobody is asked. */
const wantsCredentials = ({ operation: { security } }: Placed): boolean =>
  security === undefined || security.length > 0;
/** A body of its own limit, in the scenario. */
const isBatch = ({ operation }: Placed): boolean => operation.operationId === 'commitBatch';
const takesBody = ({ operation }: Placed): boolean => operation.requestBody !== undefined;

describe('refusals that many operations share', () => {
  it('without credentials: 401', () => refuseAll(401, wantsCredentials, { credentials: null }));

  it('from a page of another origin: 403', () =>
    refuseAll(403, () => true, { headers: { origin: 'https://foreign.example' } }));

  it('with a body that is too large: 413', () =>
    refuseAll(413, (place) => takesBody(place) && !isBatch(place), { body: TOO_LARGE }));

  it('with a body that is no JSON: 415', () =>
    refuseAll(415, takesBody, { body: 'text', headers: { 'content-type': 'text/plain' } }));

  it('with another Transfer-Encoding: 501', () =>
    refuseAll(501, takesBody, { body: '{}', headers: { 'transfer-encoding': 'gzip, chunked' } }));

  it('after too many wrong passwords: 429', async () => {
    const guess = {
      credentials: { username: 'admin', password: 'wrong' },
      localAddress: '127.0.0.2',
    };
    for (let attempts = 0; attempts < MAX_FAILURES_PER_USER; attempts += 1) {
      await api.call('getDocument', 401, guess);
    }
    await refuseAll(429, wantsCredentials, guess);
  });
});

describe('parameters', () => {
  it('that are numbers have the limits that the document says', async () => {
    let count = 0;
    for (const { operation } of placed) {
      for (const { name, schema } of operation.parameters ?? []) {
        const { minimum, maximum } = schema;
        if (minimum === undefined || maximum === undefined) continue;
        count += 1;
        const id = operation.operationId;
        const send = (status: number, value: number) =>
          api.call(id, status, { query: { [name]: value } });
        await send(400, minimum - 1);
        await send(400, maximum + 1);
        // Nothing may be there, but then it is not the number that is refused.
        const isRead = id.startsWith('list');
        if (isRead) await send(id === 'listVersions' && name === 'n' ? 404 : 200, minimum);
        if (isRead) await send(id === 'listVersions' && name === 'n' ? 404 : 200, maximum);
      }
    }
    expect(count).toBeGreaterThan(5);
  });
});

describe.each(operations.map(({ id }) => id))('%s', (id) => {
  it('was answered in each status that it documents', () => {
    const documented = Object.keys(
      placed.find(({ operation }) => operation.operationId === id)?.operation.responses ?? {},
    );
    const answered = new Set(
      api.exchanges.filter((one) => one.id === id).map(({ answer }) => String(answer.status)),
    );
    const expected = documented.filter((status) => !FAULTS.includes(status));
    expect(expected.filter((status) => !answered.has(status))).toEqual([]);
    expect(expected.length).toBeGreaterThan(0);
  });
});

it('leaves no warnings behind', () => {
  expect(warnings).toEqual([]);
});

describe('the checks find', () => {
  /** What is found wrong with each answer whose JSON the server makes, once an object in it is another. */
  function findings(
    change: (object: { [member: string]: Json }) => Json,
  ): { readonly text: string; readonly problems: string[] }[] {
    return api.exchanges
      .filter(({ answer }) => isJson(answer))
      .filter(({ id, answer }) => answer.status >= 400 || !OF_CLIENTS.includes(id))
      .flatMap((exchange) => {
        const { answer } = exchange;
        const value = withoutDocuments(exchange);
        return changedObjects(value, change)
          .map((changed) => JSON.stringify(changed))
          .filter((text) => text !== JSON.stringify(value))
          .map((text) => ({
            text: `${exchange.id}: ${text}`,
            problems: checker.problems({ ...exchange, answer: { ...answer, text } }),
          }));
      });
  }

  it('a member more, in each object of each answer', () => {
    const all = findings((object) => ({ ...object, planted: { more: true } }));
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(({ problems }) => problems.length === 0)).toEqual([]);
  });

  it('members that are missing, in each object of each answer', () => {
    const all = findings(() => ({}));
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(({ problems }) => problems.length === 0)).toEqual([]);
  });

  it('a status, a header, a body and a parameter that are not documented, and a header that is missing', () => {
    const exchange = api.exchanges.find(({ id }) => id === 'createDocument');
    if (!exchange) throw new Error('Nothing was created.');
    const { answer } = exchange;
    const withHeader = new Headers(answer.headers);
    withHeader.set('x-planted', '1');
    const withoutTag = new Headers(answer.headers);
    withoutTag.delete('etag');
    const problems = (changes: object) =>
      checker.problems({ ...exchange, answer: { ...answer, ...changes } });
    expect(checker.problems(exchange)).toEqual([]);
    expect(problems({ status: 202 })).toEqual(['answers 202, which is not documented']);
    expect(problems({ headers: withHeader })).toEqual([
      'has the header x-planted, which is not documented',
    ]);
    expect(problems({ headers: withoutTag })).toEqual(['lacks the header ETag']);
    expect(problems({ text: '"a string"' })).not.toEqual([]);
    expect(checker.problems({ ...exchange, path: `${exchange.path}?planted=1` })).not.toEqual([]);
    expect(checker.problems({ ...exchange, path: '/api/planted' })).not.toEqual([]);
    const deleted = api.exchanges.find(({ answer: { status } }) => status === 204);
    if (!deleted) throw new Error('Nothing was deleted.');
    expect(checker.problems({ ...deleted, answer: { ...deleted.answer, text: '{}' } })).toEqual([
      'has a body, which is not documented',
    ]);
  });
});

/** The answer, with text in the place of the documents of a batch. */
function withoutDocuments({ id, answer }: { id: string; answer: Exchange['answer'] }): Json {
  const value: Json = JSON.parse(answer.text);
  if (id !== 'commitBatch' || !Array.isArray(value)) return value;
  return value.map((one) => (isObject(one) ? { ...one, data: '' } : one));
}

function isJson({ headers, text }: { headers: Headers; text: string }): boolean {
  return text !== '' && (headers.get('content-type') ?? '').startsWith('application/json');
}
