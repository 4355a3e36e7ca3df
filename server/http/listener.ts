import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { IDLE_TIMEOUT_MS, MAX_DRAINED_BYTES } from '../../shared/limits.ts';
import { normalizeTarget } from './target.ts';

/** HTTP servers with this project's time-outs and answers to what is not HTTP. */
export function createListener(
  handle: RequestListener,
  tls: SecureContextOptions | undefined,
): Server | TlsServer {
  const server = tls ? createTlsServer(tls) : createServer();
  const onRequest: RequestListener = (req, res) => {
    req.url = normalizeTarget(req.url ?? '/');
    drainBounded(req, res);
    handle(req, res);
  };
  server.on('request', onRequest);
  // Without this, Node says 100 Continue before anybody has looked at the request.
  server.on('checkContinue', onRequest);
  server.on('clientError', refuseBrokenRequest);
  // A connection may take as long as it likes, as long as it goes on.
  server.requestTimeout = 0;
  server.headersTimeout = IDLE_TIMEOUT_MS;
  server.timeout = IDLE_TIMEOUT_MS;
  // Longer than the 60 s after which load balancers give up an idle connection.
  server.keepAliveTimeout = IDLE_TIMEOUT_MS + 5_000;
  return server;
}

/**
 * After an early answer Node reads the rest of the body, so that the client sees the answer and
 * the connection stays usable; not without end, though.
 */
function drainBounded(req: IncomingMessage, res: ServerResponse): void {
  res.once('finish', () => {
    if (req.complete) return;
    // A client that was never told to continue may send its next request or the body: nobody knows.
    if (req.headers.expect !== undefined) req.socket.destroySoon();
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_DRAINED_BYTES) req.destroy();
    });
  });
}

/** What is not HTTP gets an answer too, and one that says what is wrong. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'The headers are larger than 16 KiB together.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'The request took too long to arrive.']
        : [400, 'The request is not valid HTTP.'];
  const body = JSON.stringify({ error: message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
  );
}
