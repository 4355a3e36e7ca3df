import { Readable } from 'node:stream';
import type Router from '@koa/router';
import { KeystowError } from '../../../shared/errors.ts';
import { MAX_PAGE_KEYS } from '../../../shared/limits.ts';
import type { Document, DocumentRange, Documents, PatchFormat } from '../../services/documents.ts';
import type { Principal } from '../../services/grants.ts';
import { isMatch, isNoneMatch, parsePreconditions } from '../../services/preconditions.ts';
import { principalOf } from '../authenticate.ts';
import { checkJsonType, contentType, readBody } from '../body.ts';
import type { Context, Handler, State } from '../context.ts';
import { decodeAfter, parseQuery } from '../target.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const NDJSON_TYPE = 'application/x-ndjson';
const KEY_PATH = /^\/data\/.*$/s;

const PATCH_FORMATS = new Map<string, PatchFormat>([
  ['application/json', 'members'],
  ['application/merge-patch+json', 'merge-patch'],
  ['application/json-patch+json', 'json-patch'],
]);
const PATCH_TYPES = [...PATCH_FORMATS.keys()].join(', ');

export function documentRoutes(
  router: Router<State>,
  authenticated: Handler,
  documents: Documents,
  maxDocumentBytes: number,
): void {
  router.get('/data', authenticated, async (ctx) => {
    const range = parseRange(ctx);
    const wantsLines = ctx.accepts('application/json', NDJSON_TYPE) === NDJSON_TYPE;
    if (wantsLines && ctx.state.envelope) {
      throw new KeystowError('not-acceptable', 'NDJSON is for HTTP: send GET /data there.');
    }
    ctx.vary('Accept');
    ctx.set('X-Keystow-Revision', String(await documents.revision()));
    ctx.type = wantsLines ? NDJSON_TYPE : JSON_TYPE;
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      return;
    }
    const by = principalOf(ctx);
    if (range.limit === undefined) {
      const chunks = wantsLines ? lines(documents.list(by, range)) : keyArray(documents, by, range);
      ctx.body = Readable.from(chunks, { objectMode: false });
    } else {
      ctx.body = wantsLines
        ? await linesPage(ctx, documents, by, range, range.limit)
        : JSON.stringify(await keysPage(ctx, documents, by, range, range.limit));
    }
  });

  router.get(KEY_PATH, authenticated, async (ctx) => {
    const document = await documents.get(principalOf(ctx), keyOf(ctx));
    const pre = preconditionsOf(ctx);
    ctx.set('ETag', document.etag);
    if (!isMatch(pre, document.etag)) {
      throw new KeystowError(
        'precondition-failed',
        `${document.key} has the ETag ${document.etag} now.`,
      );
    }
    if (isNoneMatch(pre, document.etag)) sendDocument(ctx, 200, document);
    else ctx.status = 304;
  });

  router.post(KEY_PATH, authenticated, async (ctx) => {
    const key = keyOf(ctx);
    checkJsonType(ctx);
    const body = await readBody(ctx, maxDocumentBytes);
    const document = await documents.create(principalOf(ctx), key, body, preconditionsOf(ctx));
    ctx.set('Location', locationOf(key));
    sendDocument(ctx, 201, document);
  });

  router.put(KEY_PATH, authenticated, async (ctx) => {
    const key = keyOf(ctx);
    checkJsonType(ctx);
    const body = await readBody(ctx, maxDocumentBytes);
    const document = await documents.replace(principalOf(ctx), key, body, preconditionsOf(ctx));
    if (document.isNew) ctx.set('Location', locationOf(key));
    sendDocument(ctx, document.isNew ? 201 : 200, document);
  });

  router.patch(KEY_PATH, authenticated, async (ctx) => {
    const key = keyOf(ctx);
    const format = PATCH_FORMATS.get(contentType(ctx) ?? 'application/json');
    if (!format) {
      throw new KeystowError(
        'unsupported-media-type',
        `A PATCH has one of these content types: ${PATCH_TYPES}.`,
        { headers: { 'Accept-Patch': PATCH_TYPES } },
      );
    }
    const body = await readBody(ctx, maxDocumentBytes);
    const pre = preconditionsOf(ctx);
    sendDocument(ctx, 200, await documents.patch(principalOf(ctx), key, format, body, pre));
  });

  router.delete(KEY_PATH, authenticated, async (ctx) => {
    await documents.remove(principalOf(ctx), keyOf(ctx), preconditionsOf(ctx));
    ctx.status = 204;
  });
}

function sendDocument(ctx: Context, status: number, document: Document): void {
  ctx.status = status;
  ctx.set('ETag', document.etag);
  ctx.set('Content-Type', JSON_TYPE);
  ctx.body = document.text;
}

function keyOf(ctx: Context): string {
  return decodeAfter(ctx, '/data/');
}

/** Dot segments would be resolved away by whoever reads the URL (RFC 3986, 5.2.4): one segment then. */
function locationOf(key: string): string {
  const segments = key.split('/').map(encodeURIComponent);
  const hasDots = segments.some((segment) => segment === '.' || segment === '..');
  return `/data/${segments.join(hasDots ? '%2F' : '/')}`;
}

function preconditionsOf(ctx: Context) {
  return parsePreconditions(ctx.req.headers['if-match'], ctx.req.headers['if-none-match']);
}

function parseRange(ctx: Context): DocumentRange {
  const query = parseQuery(ctx);
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
  ctx: Context,
  documents: Documents,
  by: Principal,
  range: DocumentRange,
  limit: number,
): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of documents.keys(by, { ...range, limit: limit + 1 })) keys.push(...page);
  if (keys.length > limit) {
    keys.pop();
    linkNext(ctx, range, keys.at(-1));
  }
  return keys;
}

/**
 * A page of lines may be large, so it streams, and its link has to be known before. Documents that
 * others create meanwhile are left out: they would push the last ones of the page behind the link.
 */
async function linesPage(
  ctx: Context,
  documents: Documents,
  by: Principal,
  range: DocumentRange,
  limit: number,
): Promise<Readable> {
  const keys = new Set(await keysPage(ctx, documents, by, range, limit));
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

function linkNext(ctx: Context, { prefix, limit }: DocumentRange, last: string | undefined): void {
  if (last === undefined) return;
  const query = [
    ...(prefix === '' ? [] : [`prefix=${encodeURIComponent(prefix)}`]),
    `after=${encodeURIComponent(last)}`,
    `limit=${limit}`,
  ];
  ctx.set('Link', `</data?${query.join('&')}>; rel="next"`);
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
