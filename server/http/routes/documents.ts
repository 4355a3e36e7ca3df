import { Readable } from 'node:stream';
import type Router from '@koa/router';
import { KeystowError } from '../../../shared/errors.ts';
import { MAX_PAGE_KEYS } from '../../../shared/limits.ts';
import type { Document, DocumentRange, Documents } from '../../services/documents.ts';
import type { Principal } from '../../services/grants.ts';
import { isMatch, isNoneMatch } from '../../services/preconditions.ts';
import { resourceUrl } from '../../services/resource-url.ts';
import { principalOf } from '../authenticate.ts';
import type { Handler, State } from '../context.ts';
import {
  keyOf,
  preconditionsOf,
  readCreation,
  readPatch,
  readRemoval,
  readReplacement,
} from '../document-requests.ts';
import { type Exchange, JSON_TYPE, type Operation } from '../exchange.ts';
import { parseQuery } from '../target.ts';

const NDJSON_TYPE = 'application/x-ndjson';
const KEY_PATH = /^\/data\/.*$/s;

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is done with documents, whoever carries the request. */
export interface DocumentOperations {
  /** By method, for one document. */
  readonly document: Readonly<Record<Method, Operation>>;
  /** All keys, or all documents in lines; a page of them where `limit` says so. */
  list(exchange: Exchange, wantsLines: boolean): Promise<void>;
  /** For a document, or a page of keys; undefined for everything else. */
  find(
    request: Pick<Exchange, 'method' | 'path' | 'querystring' | 'headers'>,
  ): Operation | undefined;
}

/** What requests for documents are counted as. */
export function documentRoute(path: string): string {
  return path.startsWith('/data/') ? '/data/*' : '/data';
}

export function documentRoutes(
  router: Router<State>,
  authenticated: Handler,
  { document, list }: DocumentOperations,
): void {
  router.get('/data', authenticated, (ctx) =>
    list(ctx, ctx.accepts('application/json', NDJSON_TYPE) === NDJSON_TYPE),
  );
  router.get(KEY_PATH, authenticated, (ctx) => document.GET(ctx));
  router.post(KEY_PATH, authenticated, (ctx) => document.POST(ctx));
  router.put(KEY_PATH, authenticated, (ctx) => document.PUT(ctx));
  router.patch(KEY_PATH, authenticated, (ctx) => document.PATCH(ctx));
  router.delete(KEY_PATH, authenticated, (ctx) => document.DELETE(ctx));
}

export function documentOperations(
  documents: Documents,
  maxDocumentBytes: number,
): DocumentOperations {
  async function list(exchange: Exchange, wantsLines: boolean): Promise<void> {
    const range = parseRange(exchange);
    if (wantsLines && exchange.state.envelope) {
      throw new KeystowError('not-acceptable', 'NDJSON is for HTTP: send GET /data there.');
    }
    exchange.vary('Accept');
    exchange.set('X-Keystow-Revision', String(await documents.revision()));
    exchange.set('Content-Type', wantsLines ? NDJSON_TYPE : JSON_TYPE);
    exchange.status = 200;
    if (exchange.method === 'HEAD') return;
    const by = principalOf(exchange);
    if (range.limit === undefined) {
      const chunks = wantsLines ? lines(documents.list(by, range)) : keyArray(documents, by, range);
      exchange.body = Readable.from(chunks, { objectMode: false });
    } else {
      exchange.body = wantsLines
        ? await linesPage(exchange, documents, by, range, range.limit)
        : JSON.stringify(await keysPage(exchange, documents, by, range, range.limit));
    }
  }

  const get: Operation = (exchange) =>
    documents
      .get(principalOf(exchange), keyOf(exchange))
      .then((document) => sendFound(exchange, document));

  const document: DocumentOperations['document'] = {
    GET: get,
    HEAD: get,

    async POST(exchange) {
      const { key, body, pre } = await readCreation(exchange, maxDocumentBytes);
      const created = await documents.create(principalOf(exchange), key, body, pre);
      exchange.set('Location', resourceUrl('data', key));
      sendDocument(exchange, 201, created);
    },

    async PUT(exchange) {
      const { key, body, pre } = await readReplacement(exchange, maxDocumentBytes);
      const replaced = await documents.replace(principalOf(exchange), key, body, pre);
      if (replaced.isNew) exchange.set('Location', resourceUrl('data', key));
      sendDocument(exchange, replaced.isNew ? 201 : 200, replaced);
    },

    async PATCH(exchange) {
      const { key, format, body, pre } = await readPatch(exchange, maxDocumentBytes);
      const patched = await documents.patch(principalOf(exchange), key, format, body, pre);
      sendDocument(exchange, 200, patched);
    },

    async DELETE(exchange) {
      const { key, pre } = readRemoval(exchange);
      await documents.remove(principalOf(exchange), key, pre);
      exchange.status = 204;
    },
  };

  return {
    document,
    list,
    find({ method, path, querystring, headers }) {
      if (path.startsWith('/data/')) {
        return Object.hasOwn(document, method) ? document[method as Method] : undefined;
      }
      const isPage = path === '/data' && method === 'GET' && /\blimit=/.test(querystring);
      // What weighs media types, or names NDJSON, is for Koa's content negotiation.
      if (!isPage || /;|ndjson/i.test(headers.accept ?? '')) return undefined;
      return (exchange) => list(exchange, false);
    },
  };
}

/** Throws `precondition-failed`. */
function sendFound(exchange: Exchange, document: Document): void {
  const { key, etag } = document;
  const pre = preconditionsOf(exchange);
  exchange.set('ETag', etag);
  if (!isMatch(pre, etag)) {
    throw new KeystowError('precondition-failed', `${key} has the ETag ${etag} now.`);
  }
  if (isNoneMatch(pre, etag)) sendDocument(exchange, 200, document);
  else exchange.status = 304;
}

function sendDocument(exchange: Exchange, status: number, document: Document): void {
  exchange.status = status;
  exchange.set('ETag', document.etag);
  exchange.set('Content-Type', JSON_TYPE);
  exchange.body = document.text;
}

function parseRange(exchange: Exchange): DocumentRange {
  const query = parseQuery(exchange);
  const text = query.get('limit');
  const limit = text === undefined ? undefined : Number(text);
  if (text !== undefined && !(/^\d+$/.test(text) && isBetween(Number(text), 1, MAX_PAGE_KEYS))) {
    throw new KeystowError('bad-request', `limit is a whole number from 1 to ${MAX_PAGE_KEYS}.`);
  }
  return { prefix: query.get('prefix') ?? '', after: query.get('after'), limit };
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** At most `limit` keys, and the link to the next page where there is more. */
async function keysPage(
  exchange: Exchange,
  documents: Documents,
  by: Principal,
  range: DocumentRange,
  limit: number,
): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of documents.keys(by, { ...range, limit: limit + 1 })) keys.push(...page);
  if (keys.length > limit) {
    keys.pop();
    linkNext(exchange, range, keys.at(-1));
  }
  return keys;
}

/**
 * A page of lines may be large, so it streams, and its link has to be known before. Documents that
 * others create meanwhile are left out: they would push the last ones of the page behind the link.
 */
async function linesPage(
  exchange: Exchange,
  documents: Documents,
  by: Principal,
  range: DocumentRange,
  limit: number,
): Promise<Readable> {
  const keys = new Set(await keysPage(exchange, documents, by, range, limit));
  async function* pages(): AsyncGenerator<Document[]> {
    let left = keys.size;
    if (left === 0) return;
    for await (const page of documents.list(by, { ...range, limit: undefined })) {
      const known = page.filter(({ key }) => keys.has(key));
      yield known;
      left -= known.length;
      if (left === 0 || page.some(({ key }) => isAfter(key, lastKey))) return;
    }
  }
  const lastKey = [...keys].at(-1) ?? '';
  return Readable.from(lines(pages()), { objectMode: false });
}

function isAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}

function linkNext(
  exchange: Exchange,
  { prefix, limit }: DocumentRange,
  last: string | undefined,
): void {
  if (last === undefined) return;
  const query = [
    ...(prefix === '' ? [] : [`prefix=${encodeURIComponent(prefix)}`]),
    `after=${encodeURIComponent(last)}`,
    `limit=${limit}`,
  ];
  exchange.set('Link', `</data?${query.join('&')}>; rel="next"`);
}

async function* keyArray(
  documents: Documents,
  by: Principal,
  range: DocumentRange,
): AsyncGenerator<string> {
  let separator = '[';
  for await (const page of documents.keys(by, range)) {
    if (page.length === 0) continue;
    yield separator + JSON.stringify(page).slice(1, -1);
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

async function* lines(pages: AsyncIterable<Document[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map(toLine).join('');
}

/** A line of an export. Line ends inside the text are white space between tokens: RFC 8259, 2. */
export function toLine({ key, etag, text }: Document): string {
  const value = text.toString().replace(/[\r\n]/g, ' ');
  return `{"key":${JSON.stringify(key)},"etag":${JSON.stringify(etag)},"value":${value}}\n`;
}
