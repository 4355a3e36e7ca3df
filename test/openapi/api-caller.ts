import { expect } from 'vitest';
import { PASSWORD } from '../support/environment.ts';
import { buildFormBody, formContentType, formPart } from '../support/form-body.ts';
import { sendRequest } from '../support/http-request.ts';
import { basic, type RestAnswer } from '../support/rest.ts';
import type { AnswerChecker, Exchange, SentBody } from './answer-checker.ts';
import {
  type Json,
  type OpenApiDocument,
  type Placed,
  placedOperations,
  resolve,
} from './document.ts';
import { isLike } from './examples.ts';

export interface CallOptions {
  /** In the place of the parameters' examples; sent percent-encoded. */
  readonly params?: Readonly<Record<string, string>>;
  /** Path and query, sent as they are. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** In the place of the example; null for none. Text goes as it is. */
  readonly body?: Json;
  readonly type?: string;
  /** A form for multipart/form-data, with a file behind it. */
  readonly form?: readonly (readonly [name: string, value: string])[];
  readonly credentials?: { readonly username: string; readonly password: string } | null;
  readonly localAddress?: string;
  /** The answer is a stream: hang up once this was read. */
  readonly until?: string;
}

/** Sends the request of an operation, as its examples say or otherwise, and expects the status. */
export type Call = (id: string, status: number, options?: CallOptions) => Promise<RestAnswer>;

export interface ApiCaller {
  readonly call: Call;
  /** All that was sent and answered, with the operation that it was sent for. */
  readonly exchanges: readonly (Exchange & { readonly id: string })[];
}

const FILE = 'hello';
const NOTHING = Buffer.alloc(0);
const BOUNDARY = 'keystow-openapi-test';

export function createApiCaller(
  base: string,
  document: OpenApiDocument,
  checker: AnswerChecker,
): ApiCaller {
  const placed = new Map(
    placedOperations(document).map((place) => [place.operation.operationId, place]),
  );
  const exchanges: (Exchange & { id: string })[] = [];

  const call: Call = async (id, status, options = {}) => {
    const place = placed.get(id);
    if (!place) throw new Error(`The document has no operation ${id}.`);
    const { method } = place;
    const path = options.path ?? pathOf(place, options);
    const { body, raw } = bodyOf(place, options);
    const headers: Record<string, string> = {
      ...(body ? { 'content-type': body.type } : {}),
      ...(options.form ? { 'content-type': formContentType(BOUNDARY) } : {}),
      ...options.headers,
    };
    const { credentials, localAddress } = options;
    const request = {
      method,
      path,
      headers,
      ...(credentials === undefined ? {} : { credentials }),
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(raw === undefined
        ? {}
        : { body: isChunked(headers) ? [Buffer.from(raw), NOTHING] : raw }),
    };
    const answer = await (options.until === undefined
      ? sendRequest(base, request)
      : readUntil(base + path, headers, options.until));
    expect(answer.status, `${id}: ${answer.text}`).toBe(status);
    const { headers: answered, text } = answer;
    const exchange = {
      id,
      method,
      path,
      headers,
      body,
      answer: { status, headers: answered, text },
    };
    exchanges.push(exchange);
    expect(checker.problems(exchange), `${id}, ${status}: ${answer.text}`).toEqual([]);
    if (Object.keys(options).length === 0) expectLikeExample(place, answer);
    return answer;
  };

  /** Who does as the examples say is answered as they say. */
  function expectLikeExample({ operation }: Placed, { status, text }: RestAnswer): void {
    const response = operation.responses[status];
    const example = response && resolve(document, response).content?.['application/json']?.example;
    if (example === undefined || text === '') return;
    const answer: Json = JSON.parse(text);
    expect(isLike(example, answer), `${text} is not like ${JSON.stringify(example)}`).toBe(true);
  }

  return { call, exchanges };
}

/** As the admin. */
async function readUntil(
  url: string,
  headers: Readonly<Record<string, string>>,
  end: string,
): Promise<RestAnswer> {
  const authorization = basic('admin', PASSWORD);
  const response = await fetch(url, { headers: { ...headers, authorization } });
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes(end)) break;
  }
  return { status: response.status, headers: response.headers, text, json: undefined };
}

function isChunked(headers: Readonly<Record<string, string>>): boolean {
  return headers['transfer-encoding'] !== undefined;
}

function pathOf({ template, operation }: Placed, { params = {}, query }: CallOptions): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const example = operation.parameters?.find((one) => one.name === name)?.example;
    return encodeURIComponent(params[name] ?? String(example));
  });
  if (!query) return path;
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) text.set(name, String(value));
  return `${path}?${text}`;
}

function bodyOf(
  { operation }: Placed,
  { body: given, type: givenType, form }: CallOptions,
): { body: SentBody | undefined; raw: string | Buffer | undefined } {
  if (form) {
    const parts = form.map(([name, value]) => formPart(name, value));
    parts.push(formPart('file', FILE, { filename: 'file.bin' }));
    return {
      body: { type: 'multipart/form-data', value: { ...Object.fromEntries(form), file: FILE } },
      raw: buildFormBody({ boundary: BOUNDARY, parts }),
    };
  }
  const content = operation.requestBody?.content ?? {};
  const type = givenType ?? Object.keys(content)[0] ?? 'application/json';
  const value = given === undefined ? content[type]?.example : given;
  if (value === undefined || value === null) return { body: undefined, raw: undefined };
  if (typeof value === 'string') return { body: { type, value: undefined }, raw: value };
  return { body: { type, value }, raw: JSON.stringify(value) };
}
