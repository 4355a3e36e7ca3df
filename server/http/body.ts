import type { IncomingMessage } from 'node:http';
import type { Next } from 'koa';
import type { z } from 'zod';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_API_BODY_BYTES, MAX_DRAINED_BYTES } from '../../shared/limits.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { Context, Handler } from './context.ts';
import type { Exchange } from './exchange.ts';

/**
 * The body, byte for byte: koa-bodyparser replaces invalid UTF-8 silently, so documents are read
 * with this. Rejects with `too-large` as soon as that is known.
 */
export async function readBody(exchange: Exchange, maxBytes: number): Promise<Buffer> {
  const { state, req } = exchange;
  if (state.envelope) {
    if (state.envelope.body.length > maxBytes) throw tooLarge(maxBytes);
    return state.envelope.body;
  }
  if (!req) throw new Error('Only an envelope has no request.');
  checkBeforeBody(exchange, maxBytes);
  acceptBody(exchange);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= maxBytes) return;
      req.off('data', onData);
      reject(tooLarge(maxBytes));
    };
    const onClose = (): void => {
      if (!req.readableEnded) reject(new KeystowError('bad-request', 'The request broke off.'));
    };
    req.on('data', onData);
    req.once('end', () =>
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)),
    );
    req.once('close', onClose).once('error', onClose);
  });
}

/**
 * Says `100 Continue` only now, so that a refused body is never sent; HTTP/1.0 does not know it (RFC
 * 9110, 10.1.1).
 */
export function acceptBody({ headers, req, res }: Exchange): void {
  if (headers.expect === undefined || !/^100-continue$/i.test(headers.expect)) return;
  if (req?.httpVersion === '1.0') return;
  res?.writeContinue();
  // Met: after an early answer the listener may read on, since the body comes now.
  delete headers.expect;
}

/**
 * The body as it arrives. Who stops reading leaves the connection as it is. Throws S3Error IncompleteBody, or
 * NotImplemented for a coding that Node hands on as it is.
 */
export async function* bodyBytes(ctx: Context): AsyncGenerator<Buffer, void> {
  if (!isReadTransfer(ctx)) {
    throw new S3Error('NotImplemented', { extra: [['Header', 'Transfer-Encoding']] });
  }
  acceptBody(ctx);
  const chunks = ctx.req.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const { value, done } = await nextChunk(chunks);
      if (done) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}

export async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    // The client is gone, or was silent for too long.
    throw new S3Error('IncompleteBody', { cause: error });
  }
}

/**
 * Reads what is left of a body, 16 MiB at most. A connection that ends with the answer would be reset while
 * its client still sends, and the answer lost (RFC 9112, 9.6).
 */
export async function drainBody(req: IncomingMessage): Promise<void> {
  // Who was not told to continue sends nothing.
  if (req.complete || req.destroyed || req.headers.expect !== undefined) return;
  await new Promise<void>((resolve) => {
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > MAX_DRAINED_BYTES) resolve();
    };
    req.on('data', onData).once('end', resolve).once('close', resolve).resume();
  });
}

/** What the headers alone tell. */
function checkBeforeBody(ctx: Exchange, maxBytes: number): void {
  checkEncoding(ctx);
  if (Number(ctx.get('content-length')) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): KeystowError {
  return new KeystowError('too-large', `The body is larger than ${maxBytes} bytes.`);
}

function checkEncoding(ctx: Exchange): void {
  const encoding = ctx.get('content-encoding');
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    throw new KeystowError('unsupported-media-type', 'Send the body without Content-Encoding.');
  }
  if (!isReadTransfer(ctx)) {
    throw new KeystowError(
      'not-implemented',
      'The only Transfer-Encoding that is read is chunked.',
    );
  }
}

function isReadTransfer(ctx: Exchange): boolean {
  const transfer = ctx.get('transfer-encoding').toLowerCase();
  return transfer === '' || transfer === 'chunked';
}

/** The media type of the body without parameters; undefined when the header is absent. */
export function contentType(ctx: Exchange): string | undefined {
  const [type = '', ...parameters] = ctx.get('content-type').toLowerCase().split(';');
  for (const parameter of parameters) {
    const [name, value] = parameter.trim().split('=');
    if (name === 'charset' && value?.replaceAll('"', '').replace('-', '') !== 'utf8') {
      throw new KeystowError('unsupported-media-type', 'JSON is sent as UTF-8: mend the charset.');
    }
  }
  return type.trim() === '' ? undefined : type.trim();
}

/** Throws `unsupported-media-type` unless the body is said to be JSON, or nothing is said. */
export function checkJsonType(ctx: Exchange): void {
  const type = contentType(ctx);
  if (type === undefined || type === 'application/json') return;
  throw new KeystowError(
    'unsupported-media-type',
    `Send Content-Type: application/json, not ${type} (with curl -d: -H 'Content-Type: application/json').`,
  );
}

/** What of a wrong member's name, and of what is wrong with it, is told. */
const MAX_SHOWN_CHARS = 300;

/** Loaded with the first request that needs it: it makes up a tenth of the time to start. */
const loadParser = async (): Promise<Handler> => {
  const { default: bodyParser } = await import('koa-bodyparser');
  return bodyParser({
    enableTypes: ['json'],
    jsonLimit: String(MAX_API_BODY_BYTES),
    strict: false,
    onerror(error) {
      if ('status' in error && error.status === 413) {
        throw tooLarge(MAX_API_BODY_BYTES);
      }
      throw new KeystowError('bad-request', `The body is not valid JSON: ${error.message}.`);
    },
  });
};
let parser: Promise<Handler> | undefined;

/** As `jsonBody`, for routes whose body may be left out: it is `{}` then. */
export const optionalJsonBody: Handler = async (ctx, next) => {
  const { envelope } = ctx.state;
  const hasBody = envelope
    ? envelope.body.length > 0
    : ctx.get('transfer-encoding') !== '' || Number(ctx.get('content-length')) > 0;
  if (hasBody) return readJson(ctx, next, () => ({}));
  ctx.request.body = {};
  return next();
};

/** Sets `ctx.request.body` on the routes that take JSON. */
export const jsonBody: Handler = (ctx, next) =>
  readJson(ctx, next, () => {
    throw new KeystowError('bad-request', 'The body is empty: send JSON.');
  });

/** Chunks may come to nothing: only then it shows that there is no body. */
async function readJson(ctx: Context, next: Next, ifEmpty: () => unknown): Promise<unknown> {
  checkJsonType(ctx);
  if (ctx.state.envelope) {
    ctx.request.body = parseEnvelopeBody(ctx.state.envelope.body);
    return next();
  }
  checkBeforeBody(ctx, MAX_API_BODY_BYTES);
  parser ??= loadParser();
  const parseJson = await parser;
  acceptBody(ctx);
  // Without a type, the parser would not look at it.
  ctx.req.headers['content-type'] ??= 'application/json';
  // The parser would put U+FFFD in the place of bytes that are no UTF-8.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isUtf8 = true;
  ctx.req.on('data', (chunk: Buffer) => {
    try {
      decoder.decode(chunk, { stream: true });
    } catch {
      isUtf8 = false;
    }
  });
  return parseJson(ctx, () => {
    if (!isUtf8) throw new KeystowError('bad-request', 'The body is not valid UTF-8.');
    if (ctx.request.body === '' && ctx.request.rawBody === '') ctx.request.body = ifEmpty();
    return next();
  });
}

function parseEnvelopeBody(body: Buffer): unknown {
  if (body.length === 0) throw new KeystowError('bad-request', 'The data is absent: send some.');
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new KeystowError('bad-request', 'The data is not valid JSON.');
  }
}

/** The body as the schema wants it, or `bad-request` with what is wrong and where. */
export function parseInput<T>(schema: z.ZodType<T>, body: unknown, what = 'the body'): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue && issue.path.length > 0 ? issue.path.join('.') : what;
  throw new KeystowError('bad-request', `${shown(where)}: ${shown(issue?.message ?? 'invalid')}.`);
}

/** Names of members are the client's: one line of them is enough. */
function shown(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, MAX_SHOWN_CHARS);
}
