import { EventEmitter, once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Change } from '../../shared/changes.ts';
import { PASSWORD } from '../support/environment.ts';
import { basic } from '../support/rest.ts';

/** Server-Sent Events over node:http, read as a browser's EventSource does. */

/** A block of fields: without data it only moves the last id, as heartbeats do. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string | undefined;
}

export interface EventStream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** All that came so far. */
  readonly events: readonly StreamEvent[];
  readonly changes: readonly Change[];
  /** Where a client would go on. */
  readonly lastId: string | undefined;
  /** The body of an answer that is no stream. */
  readonly body: string;
  /** Resolves once it holds; rejects where the stream ends first. */
  until(holds: () => boolean): Promise<void>;
  /** Resolves once nothing more comes. */
  readonly ended: Promise<void>;
  /** Reads no more until `resume`. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface StreamOptions {
  readonly query?: string;
  readonly lastEventId?: string;
  readonly username?: string;
  readonly password?: string;
  readonly onChange?: (change: Change) => void;
}

/** Rejects where nothing is answered. */
export async function openStream(base: string, options: StreamOptions = {}): Promise<EventStream> {
  const { query = '', lastEventId, username = 'admin', password = PASSWORD, onChange } = options;
  const sent = request(`${base}/api/changes${query}`, {
    agent: false,
    headers: {
      authorization: basic(username, password),
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
  sent.end();
  const response = await waitForResponse(sent);
  const events: StreamEvent[] = [];
  const changes: Change[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  let lastId: string | undefined;
  let body = '';
  let rest = '';
  let isEnded = false;
  response.setEncoding('utf8').on('data', (text: string) => {
    if (response.statusCode !== 200) body += text;
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseBlock(block);
      events.push(event);
      lastId = event.id ?? lastId;
      if (event.event !== 'change' || event.data === undefined) continue;
      const change: Change = JSON.parse(event.data);
      changes.push(change);
      onChange?.(change);
    }
    arrivals.emit('arrival');
  });
  // A server that was killed has sent what it had.
  response.on('error', () => {});
  const ended = new Promise((resolve) => response.once('close', resolve)).then(() => {
    isEnded = true;
    arrivals.emit('arrival');
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    changes,
    get lastId() {
      return lastId;
    },
    get body() {
      return body;
    },
    async until(holds) {
      while (!holds()) {
        if (isEnded) throw new Error(`The stream ended: ${JSON.stringify(events.slice(-3))}`);
        await once(arrivals, 'arrival');
      }
    },
    ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void sent.destroy(),
  };
}

function waitForResponse(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (response) => {
      sent.off('error', reject).on('error', () => {});
      resolve(response);
    });
  });
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
function parseBlock(block: string): StreamEvent {
  let id: string | undefined;
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id') id = value;
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
  }
  return { id, event, data: data.length > 0 ? data.join('\n') : undefined };
}
