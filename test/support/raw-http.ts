import { once } from 'node:events';
import { connect } from 'node:net';
import type { RestAnswer } from './rest.ts';

/** HTTP by hand over a socket: what fetch and node:http refuse to send. */

export interface RawConnection {
  /** Strings go as Latin-1: one character is one byte. */
  send(data: string | Uint8Array): void;
  /** The next answer, 1xx included; rejects where the server closes before its end. */
  answer(options?: { toHead?: boolean }): Promise<RestAnswer>;
  /** Says that nothing more will be sent. */
  end(): void;
  destroy(): void;
  /** Resolves once the server has closed its side, with all that was not read as an answer. */
  readonly closed: Promise<string>;
}

export async function openRaw(base: string): Promise<RawConnection> {
  const { hostname, port } = new URL(base);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.setEncoding('latin1').setNoDelay(true);
  let received = '';
  let isClosed = false;
  let wake = (): void => {};
  socket.on('data', (text: string) => {
    received += text;
    wake();
  });
  // A reset is an end as well: what counts is what was answered before.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => {
    const onEnd = (): void => {
      isClosed = true;
      wake();
      resolve(received);
      socket.destroy();
    };
    socket.on('end', onEnd).on('close', onEnd);
  });
  await once(socket, 'connect');

  return {
    closed,
    send: (data) => {
      socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    async answer({ toHead = false } = {}) {
      for (;;) {
        const parsed = parseAnswer(received, toHead, isClosed);
        if (parsed) {
          received = received.slice(parsed.length);
          return parsed.answer;
        }
        if (isClosed) throw new Error(`The server closed after: ${JSON.stringify(received)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Sends one request as it is and gives its one answer. */
export async function rawRequest(base: string, data: string | Uint8Array): Promise<RestAnswer> {
  const connection = await openRaw(base);
  try {
    connection.send(data);
    return await connection.answer();
  } finally {
    connection.destroy();
  }
}

function parseAnswer(
  received: string,
  toHead: boolean,
  isClosed: boolean,
): { answer: RestAnswer; length: number } | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = received.slice(0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const rest = received.slice(headEnd + 4);
  const body = bodyOf(rest, status, headers, toHead, isClosed);
  if (!body) return undefined;
  const text = Buffer.from(body.text, 'latin1').toString();
  const answer = {
    status,
    headers,
    text,
    get json(): unknown {
      return JSON.parse(text);
    },
  };
  return { answer, length: headEnd + 4 + body.length };
}

function bodyOf(
  rest: string,
  status: number,
  headers: Headers,
  toHead: boolean,
  isClosed: boolean,
): { text: string; length: number } | undefined {
  if (toHead || status < 200 || status === 204 || status === 304) return { text: '', length: 0 };
  if (headers.get('transfer-encoding') === 'chunked') return chunkedBody(rest);
  const announced = headers.get('content-length');
  if (announced === null) return isClosed ? { text: rest, length: rest.length } : undefined;
  const length = Number(announced);
  return rest.length < length ? undefined : { text: rest.slice(0, length), length };
}

function chunkedBody(rest: string): { text: string; length: number } | undefined {
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (rest.length < next) return undefined;
    if (size === 0) return { text, length: next };
    text += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}
