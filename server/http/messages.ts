import { randomBytes } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';

/** Node's messages, with what holds for every request and every answer of a listener. */

/** Unique over restarts by its first half, within a process by its second. */
const run = randomBytes(6).toString('hex');
let count = 0;

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

/** Socket.IO answers polls past the application, so these headers are set here. */
export class Response extends ServerResponse<Request> {
  constructor(...args: ConstructorParameters<typeof ServerResponse<Request>>) {
    super(...args);
    this.setHeader('X-Request-Id', nextRequestId());
    this.setHeader('X-Content-Type-Options', 'nosniff');
  }
}
