import { createServer, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { IDLE_TIMEOUT_MS, MAX_CONNECTIONS, MAX_DRAINED_BYTES } from '../../shared/limits.ts';
import { JSON_TYPE } from './exchange.ts';
import { nextRequestId, Request, Response } from './messages.ts';
import { type RequestMeter, UNKNOWN } from './request-meter.ts';
import { normalizeTarget } from './target.ts';
import { createUnderWay } from './under-way.ts';

/** An HTTP server with this project's time-outs and answers to what is not HTTP. */
export interface Listener<T = unknown> {
  readonly attached: T;
  traffic(): Traffic;
  readonly server: Server | TlsServer;
  /** From now on each connection ends with the answer that is next. */
  refuseKeepAlive(): void;
  /** Stops listening; connections go on. */
  stopListening(): void;
  /** Resolves once no request is under way. */
  idle(): Promise<void>;
  /** Ends every connection; resolves once they are gone. */
  close(): Promise<void>;
}

/** Of all connections since the start, TLS and headers among the bytes. */
export interface Traffic {
  /** Open now. */
  readonly connections: number;
  readonly received: number;
  readonly sent: number;
}

/** Where Socket.IO answers. */
const ATTACHED_PATH = '/socket.io/';

/** How long the last bytes of an answer may take to leave. */
const CLOSE_GRACE_MS = 100;

export interface ListenerOptions<T> {
  /** Resolves once it will do no more for the request, answered or not. */
  readonly handle: (req: Request, res: Response) => Promise<void>;
  readonly tls: SecureContextOptions | undefined;
  readonly log: Logger;
  readonly meter: RequestMeter;
  /** Lets others answer some of the requests: Socket.IO its polls. */
  readonly attach: (server: Listener['server']) => T;
  /** Whether nobody but `handle` answers what is sent to a Host. */
  readonly isOwnHost: (req: Request) => boolean;
}

export function createListener<T>(options: ListenerOptions<T>): Listener<T> {
  const { handle, tls } = options;
  const messages = { IncomingMessage: Request, ServerResponse: Response, requireHostHeader: false };
  // What is attached takes any server, whatever its messages are.
  const server = (
    tls
      ? createTlsServer({ ...messages, ...tls, handshakeTimeout: IDLE_TIMEOUT_MS })
      : createServer(messages)
  ) as Server | TlsServer;
  // A connection may take as long as it likes, as long as it goes on.
  server.requestTimeout = 0;
  server.headersTimeout = IDLE_TIMEOUT_MS;
  server.timeout = IDLE_TIMEOUT_MS;
  server.maxConnections = MAX_CONNECTIONS;
  // Longer than the 60 s after which load balancers give up an idle connection.
  server.keepAliveTimeout = IDLE_TIMEOUT_MS + 5_000;

  // Beneath TLS each connection has a second socket, which is all there is until it has shaken hands.
  const connections = track(server, tls ? 'secureConnection' : 'connection');
  const rawConnections = track(server, 'connection');
  const ended = { received: 0, sent: 0 };
  server.on('connection', (socket: Socket) => {
    socket.once('close', () => {
      ended.received += socket.bytesRead;
      ended.sent += socket.bytesWritten;
    });
  });
  const answers = new Set<Response>();
  const underWay = createUnderWay();
  let isStopping = false;

  const count = (res: Response): void => {
    underWay.begin();
    if (isStopping) res.shouldKeepAlive = false;
    answers.add(res);
    res.once('close', () => {
      answers.delete(res);
      underWay.end();
    });
  };
  const onRequest = (req: Request, res: Response): void => {
    req.url = normalizeTarget(req.url ?? '/');
    if (hasBody(req)) drainBounded(req, res);
    // RFC 9112, 3.2: only HTTP/1.0 has requests without it.
    if (req.headers.host === undefined && req.httpVersion === '1.1') {
      refuse(req, res, 400, 'A request of HTTP/1.1 has a Host header.', options);
    } else {
      // Where the client goes away first, its handler still has to clean up.
      underWay.begin();
      handle(req, res).finally(underWay.end);
    }
  };
  const attached = options.attach(server);
  const attachedListeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (req: Request, res: Response) => {
    count(res);
    if (isAttached(req, options.isOwnHost)) {
      res.setOwnHeaders();
      for (const listener of attachedListeners) listener.call(server, req, res);
    } else onRequest(req, res);
  });
  // Without this, Node says 100 Continue before anybody has looked at the request.
  server.on('checkContinue', (req: Request, res: Response) => {
    count(res);
    onRequest(req, res);
  });
  server.on('checkExpectation', (req: Request, res: Response) => {
    refuse(req, res, 417, 'The only expectation that is met is 100-continue.', options);
  });
  server.on('connect', (_req, socket) => {
    socket.end(rawAnswer(405, 'This server is no proxy.', nextRequestId()));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    refuseBrokenRequest(error, socket, options),
  );
  return {
    server,
    attached,
    traffic() {
      let { received, sent } = ended;
      for (const socket of rawConnections) {
        received += socket.bytesRead;
        sent += socket.bytesWritten;
      }
      return { connections: rawConnections.size, received, sent };
    },
    refuseKeepAlive() {
      isStopping = true;
      for (const res of answers) res.shouldKeepAlive = false;
    },
    stopListening() {
      // http.Server.close would end idle connections too, which polling clients still need.
      NetServer.prototype.close.call(server);
    },
    idle: underWay.idle,
    async close() {
      const closed = [...rawConnections].map(
        (socket) => new Promise((done) => socket.once('close', done)),
      );
      for (const socket of connections) socket.destroySoon();
      // Connections that said nothing yet, or whose peer is gone.
      const force = setTimeout(() => {
        for (const socket of rawConnections) socket.destroy();
      }, CLOSE_GRACE_MS);
      await Promise.all(closed);
      clearTimeout(force);
    },
  };
}

function isAttached(req: Request, isOwnHost: ListenerOptions<unknown>['isOwnHost']): boolean {
  return (req.url?.startsWith(ATTACHED_PATH) ?? false) && !isOwnHost(req);
}

/** RFC 9112, 6.3. */
function hasBody({ headers }: Request): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function track(server: Listener['server'], event: string): Set<Socket> {
  const open = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

/**
 * After an early answer Node reads the rest of the body, so that the client sees the answer and
 * the connection stays usable; not without end, though.
 */
function drainBounded(req: Request, res: Response): void {
  res.once('finish', () => {
    if (req.complete) return;
    // A client that was never told to continue may send its next request or the body: nobody knows.
    if (req.headers.expect !== undefined) req.socket.destroySoon();
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_DRAINED_BYTES) req.destroy();
    });
    req.resume();
  });
}

type Told = Pick<ListenerOptions<unknown>, 'log' | 'meter'>;

function refuse(req: Request, res: Response, status: number, message: string, to: Told): void {
  const { log, meter } = to;
  meter.answered('http', UNKNOWN, UNKNOWN, status, 0);
  log.info({ id: res.requestId, method: req.method, status }, 'request refused');
  const fields = ['Content-Type', JSON_TYPE, 'Connection', 'close'];
  res.sendWhole(status, fields, JSON.stringify({ error: message }));
}

/** What is not HTTP gets an answer too, and one that says what is wrong. */
function refuseBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  { log, meter }: Told,
): void {
  const refusal = refusalOf(error.code ?? '');
  // Nothing can be said to who is gone, or has not shaken hands.
  if (!refusal || !socket.writable) {
    socket.destroy();
    return;
  }
  const id = nextRequestId();
  meter.answered('http', UNKNOWN, UNKNOWN, refusal.status, 0);
  log.info({ id, status: refusal.status, reason: error.code }, 'request refused');
  socket.end(rawAnswer(refusal.status, refusal.message, id));
}

function refusalOf(code: string): { status: number; message: string } | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, message: 'The headers are larger than 16 KiB together.' };
  }
  if (code === 'HPE_INVALID_URL') {
    return {
      status: 400,
      message: 'The URL is not valid HTTP: begin it with a slash and percent-encode it.',
    };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: 408, message: 'The headers took too long to arrive.' };
  }
  return code.startsWith('HPE_')
    ? { status: 400, message: 'The request is not valid HTTP.' }
    : undefined;
}

/** For a connection that is no longer, or not yet, in the hands of Node's HTTP. */
export function rawAnswer(status: number, message: string, id: string): string {
  const body = JSON.stringify({ error: message });
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${id}\r\n` +
    `X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`
  );
}
