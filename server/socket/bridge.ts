import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { Server, type Socket } from 'socket.io';
import { Decoder } from 'socket.io-parser';
import { KeystowError } from '../../shared/errors.ts';
import {
  MAX_OUTSTANDING_ENVELOPES,
  maxMessageBytes,
  UNREAD_GRACE_MS,
} from '../../shared/limits.ts';
import { toAnswerable } from '../http/answerable.ts';
import { rawAnswer } from '../http/listener.ts';
import { nextRequestId } from '../http/messages.ts';
import { hostOf, isForeign } from '../http/origin.ts';
import { type RequestMeter, UNKNOWN } from '../http/request-meter.ts';
import { createUnderWay } from '../http/under-way.ts';
import { AnswerEncoder, ReadyJson } from './answer-encoder.ts';
import { type Dispatch, echoOf, type Peer, parseCredentials, refusal } from './dispatch.ts';
import { countUnsent, type Unsent } from './unsent.ts';
import { attachWatches, type WatchOptions } from './watches.ts';

export interface BridgeOptions extends WatchOptions {
  readonly dispatch: Dispatch;
  readonly meter: RequestMeter;
  readonly maxDocumentBytes: number;
  readonly corsOrigins: readonly string[];
  /** Serve Engine.IO 3 clients, which Socket.IO 2 brought. */
  readonly allowEIO3: boolean;
  readonly trustProxy: boolean;
  /** On such a Host there is nothing but S3. */
  readonly isBucketHost: (host: string) => boolean;
}

export interface Bridge {
  /** Clients that are connected. */
  sockets(): number;
  /** Refuses new clients and envelopes, answers those under way and closes every connection. */
  drain(): Promise<void>;
  /** Cuts off what is left. */
  close(): void;
}

/** What an answer's packet has around its JSON. */
const PACKET_BYTES = 64;
const STOPPING = 'The server is stopping: connect again and repeat.';
const FOREIGN = 'This origin may not connect: add it to CORS_ORIGINS.';

type Events = { [name: string]: (...args: unknown[]) => void };

/** Socket.IO's `http message` beside a listener: each envelope is answered, whatever it is. */
export function createBridge(listener: HttpServer | HttpsServer, options: BridgeOptions): Bridge {
  const { dispatch, log, meter } = options;
  const isRefused = (req: IncomingMessage): boolean => {
    const host = hostOf(req, options.trustProxy);
    return options.isBucketHost(host) || isForeign(req.headers, host, options.corsOrigins);
  };
  let isStopping = false;
  const io = new Server<Events, Events>(listener, {
    parser: { Encoder: AnswerEncoder, Decoder },
    serveClient: false,
    allowEIO3: options.allowEIO3,
    maxHttpBufferSize: maxMessageBytes(options.maxDocumentBytes),
    ...(options.corsOrigins.length > 0
      ? { cors: { origin: [...options.corsOrigins], credentials: true } }
      : {}),
    allowRequest: (req, decide) => {
      const reason = isStopping ? STOPPING : isRefused(req) ? FOREIGN : null;
      decide(reason, reason === null);
    },
  });
  takeUpgrades(listener, isRefused);
  const underWay = createUnderWay();
  const unsentOf = new Map<Socket, Unsent>();

  io.on('connection', (socket) => {
    const peer = peerOf(socket, options.trustProxy);
    const unsent = countUnsent(socket);
    unsentOf.set(socket, unsent);
    socket.once('disconnect', () => unsentOf.delete(socket));
    attachWatches(socket, peer, unsent, options);
    let outstanding = 0;

    socket.on('http message', (...args) => {
      const last = args.at(-1);
      const ack = typeof last === 'function' ? last : undefined;
      const envelope = ack && args.length === 1 ? undefined : args[0];

      const requestId = nextRequestId();
      const send = (json: string): void => {
        if (!socket.connected) return;
        // With an acknowledgement the answer goes out twice.
        const bytes = (Buffer.byteLength(json) + PACKET_BYTES) * (ack ? 2 : 1);
        if (!unsent.hasRoomFor(bytes)) {
          log.warn({ id: requestId, address: peer.address }, 'socket closed: it does not read');
          socket.conn.close(true);
          return;
        }
        const answer = new ReadyJson(json);
        socket.emit('http message', answer);
        ack?.(answer);
      };

      if (isStopping || outstanding >= MAX_OUTSTANDING_ENVELOPES) {
        const error = isStopping ? stopping() : tooMany();
        meter.answered('socket', UNKNOWN, UNKNOWN, error.status, 0);
        send(refusal(echoOf(envelope), error));
        return;
      }
      outstanding += 1;
      underWay.begin();
      const done = (): void => {
        outstanding -= 1;
        underWay.end();
      };
      answerEnvelope(envelope, peer, requestId, send).then(done, done);
    });
  });

  async function answerEnvelope(
    envelope: unknown,
    peer: Peer,
    requestId: string,
    send: (json: string) => void,
  ): Promise<void> {
    try {
      send(await dispatch(envelope, peer, requestId));
    } catch (error) {
      log.error({ id: requestId, err: error }, 'envelope failed');
      send(refusal(echoOf(envelope), toAnswerable(error, requestId)));
    }
  }

  return {
    sockets: () => unsentOf.size,

    async drain() {
      isStopping = true;
      // Watches, which end before this, say so first.
      await new Promise(setImmediate);
      await underWay.idle();
      const sent = [...unsentOf].map(([socket, unsent]) => allSent(socket, unsent));
      // Not the sockets: a client that is told to go stays away, one that lost its connection comes back.
      for (const { conn } of unsentOf.keys()) conn.close();
      const grace = new Promise((resolve) => setTimeout(resolve, UNREAD_GRACE_MS).unref());
      await Promise.race([Promise.all(sent), grace]);
    },
    close() {
      io.engine.close();
    },
  };
}

/**
 * A websocket's closing handshake comes after its data. A poll is answered with all there is, but
 * where nothing waits, there may be no poll either: the client may be gone.
 */
function allSent({ conn }: Socket, unsent: Unsent): Promise<void> {
  const isPolling = conn.transport.name === 'polling';
  if (isPolling && unsent.isNothingWaiting()) return Promise.resolve();
  return new Promise((resolve) => {
    conn.once('close', () => resolve());
    if (isPolling) conn.once('drain', () => resolve());
  });
}

/** Engine.IO refuses an upgrade with 400, whatever the reason: those of foreign pages are refused before. */
function takeUpgrades(
  listener: HttpServer | HttpsServer,
  isRefused: (req: IncomingMessage) => boolean,
): void {
  const upgrade = listener.listeners('upgrade');
  listener.removeAllListeners('upgrade');
  listener.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (isRefused(req)) {
      socket.end(rawAnswer(403, FOREIGN, nextRequestId()));
      return;
    }
    joinWrites(socket);
    for (const take of upgrade) take.call(listener, req, socket, head);
  });
}

function peerOf(socket: Socket, trustProxy: boolean): Peer {
  const { address, headers, auth } = socket.handshake;
  const forwarded = trustProxy ? String(headers['x-forwarded-for'] ?? '') : '';
  const proto = trustProxy
    ? String(headers['x-forwarded-proto'] ?? '')
        .split(',')[0]
        ?.trim()
    : '';
  const scheme = proto || (socket.handshake.secure ? 'https' : 'http');
  const gone = new AbortController();
  socket.once('disconnect', () => gone.abort());
  return {
    gone: gone.signal,
    base: `${scheme}://${hostOf(socket.request, trustProxy)}`,
    connection: socket.request.socket,
    // A polling client's first connection may be gone: the handshake still knows its address.
    address: forwarded.split(',').at(-1)?.trim() || address,
    credentials: parseCredentials(auth),
  };
}

function tooMany(): KeystowError {
  return new KeystowError(
    'too-many-requests',
    `More than ${MAX_OUTSTANDING_ENVELOPES} envelopes are unanswered: wait for answers.`,
  );
}

function stopping(): KeystowError {
  return new KeystowError('unavailable', STOPPING);
}

/**
 * What is written in one turn of the event loop leaves in one system call: an answer goes out as an event
 * and as an acknowledgement, each a frame of its own.
 */
function joinWrites(socket: Duplex): void {
  const write = socket.write;
  let isCorked = false;
  socket.write = (...args: unknown[]): boolean => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    return Reflect.apply(write, socket, args);
  };
}
