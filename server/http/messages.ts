import { randomBytes } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';

/** Node's messages, with what holds for every request and every answer of a listener. */

/** Unique over restarts by its first half, within a process by its second. */
const run = randomBytes(6).toString('hex');
let count = 0;

/** A body that is copied behind its head costs less than a write of its own. */
const MAX_JOINED_BYTES = 16_384;

export function nextRequestId(): string {
  count += 1;
  return `${run}-${count.toString(36)}`;
}

/**
 * Offers to upgrade are ignored (RFC 9110, 7.8) but for Socket.IO's websockets: Java's client and
 * `curl --http2` offer HTTP/2 with their first request, which Node would otherwise take away from
 * the 'request' listeners.
 */
export class Request extends IncomingMessage {
  declare private asksForUpgrade: boolean | null;

  set upgrade(asks: boolean | null) {
    this.asksForUpgrade = asks;
  }

  get upgrade(): boolean {
    if (!this.asksForUpgrade || this.method === 'CONNECT') return this.asksForUpgrade === true;
    const isWebSocket = this.headers.upgrade?.toLowerCase() === 'websocket';
    return isWebSocket && (this.url?.startsWith('/socket.io/') ?? false);
  }
}

/** Every answer, Socket.IO's polls among them, tells its request's id. */
export class Response extends ServerResponse<Request> {
  readonly requestId = nextRequestId();

  constructor(...args: ConstructorParameters<typeof ServerResponse<Request>>) {
    super(...args);
  }

  /** What every answer has, for those who set their headers one by one. */
  setOwnHeaders(): void {
    this.setHeader('X-Request-Id', this.requestId);
    this.setHeader('X-Content-Type-Options', 'nosniff');
  }

  /** Head and body in one piece, where no header was set before; `fields` is flat. */
  sendWhole(status: number, fields: readonly string[], body: Buffer | string | undefined): void {
    const own = ['X-Request-Id', this.requestId, 'X-Content-Type-Options', 'nosniff'];
    if (body !== undefined) own.push('Content-Length', String(Buffer.byteLength(body)));
    this.writeHead(status, own.concat(fields));
    // Node writes a string together with the head; as Latin-1 each byte is itself.
    const isSmall = Buffer.isBuffer(body) && body.length <= MAX_JOINED_BYTES;
    if (isSmall) this.end(body.toString('latin1'), 'latin1');
    else this.end(body);
  }
}
