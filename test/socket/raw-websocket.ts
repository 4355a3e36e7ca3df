import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';

/** A websocket by hand (RFC 6455): for what a well-behaved client never sends, or never reads. */

export interface RawWebsocket {
  /** To stop reading, cut off, or write what is no frame. */
  readonly tcp: Socket;
  /** One masked frame; text where `payload` is a string. */
  send(payload: string | Buffer): void;
  /** The messages so far, as text. */
  readonly messages: readonly string[];
  /** The next message, seen or to come, that begins so. Rejects when the connection goes first. */
  message(start: string): Promise<string>;
  /** Settles when the connection is gone, with the code of the close frame if there was one. */
  readonly closed: Promise<number | undefined>;
}

export interface Refused {
  readonly status: number;
}

/** Opens Engine.IO's websocket, without any Socket.IO packet yet. */
export async function openWebsocket(
  base: string,
  headers: Record<string, string> = {},
): Promise<RawWebsocket | Refused> {
  const handshake = request(`${base}/socket.io/?EIO=4&transport=websocket`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...headers,
    },
  });
  handshake.end();
  return new Promise((resolve, reject) => {
    handshake.on('error', reject);
    handshake.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0 });
    });
    handshake.on('upgrade', (_response, tcp: Socket, head: Buffer) => resolve(wrap(tcp, head)));
  });
}

/** The same, joined to the default namespace. */
export async function joinWebsocket(base: string, auth?: unknown): Promise<RawWebsocket> {
  const websocket = await openWebsocket(base);
  if ('status' in websocket) throw new Error(`Refused with ${websocket.status}.`);
  await websocket.message('0');
  websocket.send(`40${auth === undefined ? '' : JSON.stringify(auth)}`);
  await websocket.message('40');
  return websocket;
}

/** A frame as a client sends it: final, masked. */
export function frame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([header(opcode, payload.length), mask, masked]);
}

function header(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | opcode, 0x80 | length]);
  if (length < 65_536) {
    const short = Buffer.from([0x80 | opcode, 0x80 | 126, 0, 0]);
    short.writeUInt16BE(length, 2);
    return short;
  }
  const long = Buffer.from([0x80 | opcode, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}

function wrap(tcp: Socket, head: Buffer): RawWebsocket {
  const messages: string[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  let taken = 0;
  let code: number | undefined;
  let isGone = false;
  let waiting = head;

  const read = (chunk: Buffer): void => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    for (let next = parse(waiting); next; next = parse(waiting)) {
      waiting = waiting.subarray(next.end);
      if (next.opcode === 8) {
        code = next.payload.length >= 2 ? next.payload.readUInt16BE() : 1005;
        tcp.end(frame(8, next.payload));
      } else {
        messages.push(next.payload.toString());
      }
      arrivals.emit('arrival');
    }
  };
  // A reset is one of the ways in which a server hangs up.
  tcp.on('error', () => {});
  tcp.on('data', read);
  read(Buffer.alloc(0));
  const closed = once(tcp, 'close').then(() => {
    isGone = true;
    arrivals.emit('arrival');
    return code;
  });

  return {
    tcp,
    messages,
    closed,
    send(payload) {
      tcp.write(frame(typeof payload === 'string' ? 1 : 2, Buffer.from(payload)));
    },
    async message(start) {
      for (;;) {
        const at = messages.findIndex((text, index) => index >= taken && text.startsWith(start));
        const found = messages[at];
        if (found !== undefined) {
          taken = at + 1;
          return found;
        }
        if (isGone || code !== undefined) throw new Error(`Closed (${code}) before ${start}.`);
        await once(arrivals, 'arrival');
      }
    },
  };
}

/** The first frame of what a server sends: never masked, never fragmented by Engine.IO. */
function parse(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1);
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < start) return undefined;
  const length =
    short === 127
      ? Number(bytes.readBigUInt64BE(2))
      : short === 126
        ? bytes.readUInt16BE(2)
        : short;
  const end = start + length;
  if (bytes.length < end) return undefined;
  return { opcode: bytes.readUInt8(0) & 0x0f, payload: bytes.subarray(start, end), end };
}
