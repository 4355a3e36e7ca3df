import { IncomingMessage, METHODS, ServerResponse } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { Readable } from 'node:stream';
import type Koa from 'koa';
import compose from 'koa-compose';
import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import {
  MAX_ENVELOPE_ID_CHARS,
  MAX_ENVELOPE_URL_CHARS,
  MAX_UNSENT_BYTES,
} from '../../shared/limits.ts';
import { identify } from '../http/authenticate.ts';
import type { State } from '../http/context.ts';
import {
  answerHeaders,
  answerJson,
  type Echo,
  errorAnswer,
  type InnerAnswer,
} from '../http/envelope-answer.ts';
import { isJsonText, parseHeaders, wantsPlainText } from '../http/envelope-headers.ts';
import { answerJsonError } from '../http/error-boundary.ts';
import { type Operation, PlainExchange } from '../http/exchange.ts';
import { isRecord } from '../http/is-record.ts';
import { logEnvelope } from '../http/request-log.ts';
import { type RequestMeter, UNKNOWN } from '../http/request-meter.ts';
import { type DocumentOperations, documentRoute } from '../http/routes/documents.ts';
import { normalizeTarget } from '../http/target.ts';
import type { Authenticator, Credentials } from '../services/credentials.ts';

/** An envelope through the application's own handlers, in process: resolves with the answer's JSON. */
export type Dispatch = (envelope: unknown, peer: Peer, requestId: string) => Promise<string>;

/** Who sent it. */
export interface Peer {
  readonly connection: NetSocket;
  /** Where failed attempts are counted. */
  readonly address: string;
  /** What it calls this server: scheme, host and port. */
  readonly base: string;
  /** Credentials given once, in the handshake. */
  readonly credentials: Credentials | undefined;
  /** Aborted once the socket is gone. */
  readonly gone: AbortSignal;
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly credentials: Credentials | undefined;
  readonly hasAuth: boolean;
  readonly wantsText: boolean;
}

const NO_BODY = Buffer.alloc(0);

export interface DispatchOptions {
  readonly app: Koa<State>;
  readonly operations: DocumentOperations;
  readonly authenticator: Authenticator;
  readonly log: Logger;
  readonly meter: RequestMeter;
}

export function createDispatch(options: DispatchOptions): Dispatch {
  const { app, operations, authenticator, log, meter } = options;
  const middleware = compose(app.middleware);

  /** Documents go past Koa, as in http/plain-requests.ts. */
  async function operate(
    operation: Operation,
    exchange: PlainExchange,
    echo: Echo,
    wantsText: boolean,
  ): Promise<string> {
    const start = performance.now();
    try {
      await identify(exchange, authenticator);
      await operation(exchange);
    } catch (thrown) {
      await answerJsonError(exchange, thrown, log);
    }
    return answerJson(echo, answered(exchange, start), wantsText);
  }

  function answered(exchange: PlainExchange, start: number): InnerAnswer {
    logEnvelope(log, exchange, start);
    const { method, path, status, body = '' } = exchange;
    meter.answered('socket', method, documentRoute(path), status, performance.now() - start);
    return {
      status,
      headers: answerHeaders((name) => exchange.field(name)),
      body: method === 'HEAD' ? '' : body.toString(),
      isJson: true,
    };
  }

  async function viaKoa(request: Request, state: State, peer: Peer): Promise<InnerAnswer> {
    const req = new IncomingMessage(peer.connection);
    req.method = request.method;
    req.url = request.url;
    req.headers = request.headers;
    const ctx = app.createContext<State>(req, new ServerResponse(req));
    Object.assign(ctx.state, state);
    ctx.request.ip = peer.address;
    ctx.res.statusCode = 404;
    await middleware(ctx);
    return {
      status: ctx.status,
      headers: answerHeaders((name) => ctx.res.getHeader(name)),
      body: request.method === 'HEAD' ? '' : await readAnswer(ctx.body),
      isJson: ctx.response.is('json') !== false,
    };
  }

  return async (envelope, peer, requestId) => {
    const echo = echoOf(envelope);
    let request: Request | undefined;
    try {
      request = parseEnvelope(envelope, peer);
      const { method, url, headers, credentials, hasAuth, body } = request;
      const state: State = {
        requestId,
        envelope: { credentials, hasAuth, body, base: peer.base, gone: peer.gone },
      };
      const exchange = new PlainExchange({ method, url, headers, ip: peer.address, state });
      const operation = operations.find(exchange);
      // Not awaited: each of thousands that wait for the disk would be kept here, too.
      if (operation) return operate(operation, exchange, echo, request.wantsText);
      return answerJson(echo, await viaKoa(request, state, peer), request.wantsText);
    } catch (error) {
      if (!(error instanceof KeystowError)) throw error;
      if (!request) meter.answered('socket', UNKNOWN, UNKNOWN, error.status, 0);
      return refusal(echo, error);
    }
  };
}

/** What every answer repeats of its envelope. */
export function echoOf(envelope: unknown): Echo {
  const members = isRecord(envelope) ? envelope : {};
  return {
    method: textOrNull(members['method']),
    url: textOrNull(members['url']),
    ...('id' in members && isBounded(members['id']) ? { id: members['id'] } : {}),
  };
}

/** Socket.IO walks an answer recursively: a deep id would overflow the stack, a binary one change it. */
function isBounded(id: unknown): boolean {
  try {
    return (JSON.stringify(id)?.length ?? 0) <= MAX_ENVELOPE_ID_CHARS && !holdsBuffer(id);
  } catch {
    return false;
  }
}

/** What an envelope that cannot be dispatched, or a socket over its bounds, is answered with. */
export function refusal(
  echo: Echo,
  error: Pick<KeystowError, 'status' | 'message' | 'headers'>,
): string {
  return answerJson(echo, errorAnswer(error), false);
}

function parseEnvelope(envelope: unknown, peer: Peer): Request {
  if (!isRecord(envelope)) throw bad('An envelope is an object with auth, url, method and data.');
  const { method, url, auth, id } = envelope;
  if (!isBounded(id)) {
    throw bad(`The id of an envelope is JSON of at most ${MAX_ENVELOPE_ID_CHARS} characters.`);
  }
  if (typeof url !== 'string' || !url.startsWith('/') || !url.isWellFormed()) {
    throw bad('The url of an envelope is a path, such as "/data/test".');
  }
  if (url.length > MAX_ENVELOPE_URL_CHARS) {
    throw bad(`The url of an envelope has at most ${MAX_ENVELOPE_URL_CHARS} characters.`);
  }
  if (typeof method !== 'string' || !METHODS.includes(method.toUpperCase())) {
    throw bad('The method of an envelope is one of GET, HEAD, POST, PUT, PATCH and DELETE.');
  }
  const headers = parseHeaders(envelope['headers'], 'an envelope');
  return {
    method: method.toUpperCase(),
    // As bytes, one character each: what Node makes of an HTTP request line.
    url: normalizeTarget(Buffer.from(url).toString('latin1')),
    headers,
    body: bodyOf(envelope['data'], headers['content-type']),
    credentials: auth === undefined ? peer.credentials : parseCredentials(auth),
    hasAuth: auth !== undefined || peer.credentials !== undefined,
    wantsText: wantsPlainText(headers['accept']),
  };
}

export function parseCredentials(auth: unknown): Credentials | undefined {
  if (!isRecord(auth)) return undefined;
  const { username, password } = auth;
  if (typeof username !== 'string' || typeof password !== 'string') return undefined;
  return { username, password };
}

/** A string that is said to be JSON is the text itself. */
function bodyOf(data: unknown, contentType = ''): Buffer {
  if (typeof data !== 'string' || !isJsonText(contentType)) return toJson(data);
  if (!data.isWellFormed()) throw bad('The data has a lone surrogate: escape it.');
  return Buffer.from(data);
}

function toJson(data: unknown): Buffer {
  if (data === undefined) return NO_BODY;
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } catch {
    throw bad('The data is nested too deeply.');
  }
  if (text === undefined) return NO_BODY;
  // Socket.IO's attachments arrive as Buffers, which would be stored as lists of numbers.
  if (text.includes('"type":"Buffer"') && holdsBuffer(data)) {
    throw bad('The data is JSON: it cannot hold binary attachments.');
  }
  return Buffer.from(text);
}

function holdsBuffer(data: unknown): boolean {
  const waiting = [data];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (Buffer.isBuffer(value)) return true;
    if (typeof value === 'object' && value !== null) {
      for (const member of Object.values(value)) waiting.push(member);
    }
  }
  return false;
}

/** The whole body as text; a list that is too long for a message says how to get it. */
async function readAnswer(body: unknown): Promise<string> {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (Buffer.isBuffer(body)) return body.toString();
  if (!(body instanceof Readable)) return JSON.stringify(body);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const buffer = Buffer.from(chunk);
    chunks.push(buffer);
    bytes += buffer.length;
    if (bytes > MAX_UNSENT_BYTES / 2) {
      throw new KeystowError(
        'too-large',
        'The list is too long for one message: ask with ?limit=.',
      );
    }
  }
  return Buffer.concat(chunks).toString();
}

function bad(message: string): KeystowError {
  return new KeystowError('bad-request', message);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, MAX_ENVELOPE_URL_CHARS) : null;
}
