import { STATUS_CODES } from 'node:http';
import type { Logger } from 'pino';
import type { Socket } from 'socket.io';
import type { ChangePage } from '../../shared/changes.ts';
import { KeystowError } from '../../shared/errors.ts';
import {
  MAX_ENVELOPE_URL_CHARS,
  MAX_FEEDS_PER_SOCKET,
  SLOW_READER_MS,
} from '../../shared/limits.ts';
import { toAnswerable } from '../http/answerable.ts';
import { isRecord } from '../http/is-record.ts';
import { nextRequestId } from '../http/messages.ts';
import { changeText } from '../services/change-text.ts';
import { type ChangeFilter, type Changes, tooSlow } from '../services/changes.ts';
import type { Authenticator } from '../services/credentials.ts';
import { ReadyJson } from './answer-encoder.ts';
import { type Peer, parseCredentials } from './dispatch.ts';
import type { Unsent } from './unsent.ts';

/** `watch` and `unwatch`: the change feed of a socket. */

export interface WatchOptions {
  readonly changes: Changes;
  readonly authenticator: Authenticator;
  readonly log: Logger;
  readonly slowReaderMs?: number | undefined;
}

/** Changes of one watch that wait for its client. */
const SENT_AT_A_TIME = 100;

/** A `watch` that was understood. */
interface Wanted {
  readonly filter: ChangeFilter;
  readonly since: number | undefined;
}

export function attachWatches(
  socket: Socket,
  peer: Peer,
  unsent: Unsent,
  { changes, authenticator, log, slowReaderMs = SLOW_READER_MS }: WatchOptions,
): void {
  const watches = new Map<number, AbortController>();
  let count = 0;

  async function watch(request: unknown, ack: (answer: object) => void): Promise<void> {
    count += 1;
    const id = count;
    const requestId = nextRequestId();
    const ending = new AbortController();
    let pages: AsyncGenerator<ChangePage, void> | undefined;
    let isBegun = false;
    try {
      if (watches.size >= MAX_FEEDS_PER_SOCKET) throw tooMany();
      watches.set(id, ending);
      const { filter, since } = parseWatch(request);
      const principal = await authenticator.verify(credentialsOf(request, peer), peer.address);
      pages = changes.follow(principal, filter, since, ending.signal);
      for await (const page of pages) {
        if (!isBegun) ack(answer(200, { watch: id, since: since ?? startOf(page) }));
        isBegun = true;
        await send(page, id, ending.signal, requestId);
      }
    } catch (thrown) {
      const error = toAnswerable(thrown, requestId);
      if (error.status === 500)
        log.error({ id: requestId, err: error.cause ?? thrown }, error.message);
      const data = { error: error.message, ...('members' in error ? error.members : {}) };
      if (isBegun) socket.emit('unwatched', { watch: id, status: error.status, ...data });
      else ack(answer(error.status, data));
    } finally {
      watches.delete(id);
      await pages?.return();
    }
  }

  /** Resolves once the client has taken the page, some of it at a time, so that little of each watch waits here. */
  async function send(
    { changes: sent }: ChangePage,
    id: number,
    ended: AbortSignal,
    requestId: string,
  ): Promise<void> {
    for (let at = 0; at < sent.length && !ended.aborted; at += SENT_AT_A_TIME) {
      const texts = sent.slice(at, at + SENT_AT_A_TIME).map(changeText);
      unsent.hasRoomFor(texts.reduce((bytes, text) => bytes + text.length, 0));
      for (const text of texts) socket.emit('change', new ReadyJson(text), id);
      if (await unsent.taken(slowReaderMs)) continue;
      log.warn(
        { id: requestId, address: peer.address, watch: id },
        'watch ended: its client does not read',
      );
      throw tooSlow();
    }
  }

  socket.on('watch', (...args: unknown[]) => {
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (result: object) => last(result) : () => {};
    void watch(args[0], ack);
  });

  socket.on('unwatch', (...args: unknown[]) => {
    const [id] = args;
    const ended = typeof id === 'number' ? [watches.get(id)] : [...watches.values()];
    for (const ending of ended) ending?.abort();
    const last = args.at(-1);
    if (typeof last === 'function') last(answer(200, {}));
  });

  socket.once('disconnect', () => {
    for (const ending of watches.values()) ending.abort();
  });
}

function answer(status: number, data: object): object {
  return { status, statusText: STATUS_CODES[status] ?? '', data };
}

/** Where a feed that begins now has begun. */
function startOf({ changes: [first], next }: ChangePage): number {
  return first ? first.seq - 1 : next;
}

function credentialsOf(request: unknown, peer: Peer) {
  const auth = isRecord(request) ? request['auth'] : undefined;
  const credentials = auth === undefined ? peer.credentials : parseCredentials(auth);
  if (credentials) return credentials;
  throw new KeystowError(
    'unauthenticated',
    'Send auth with username and password, in the watch or in the handshake.',
  );
}

function parseWatch(request: unknown): Wanted {
  if (!isRecord(request)) throw bad('A watch is an object with prefix or url, and since.');
  const { prefix, url, since } = request;
  if (since !== undefined && !(Number.isSafeInteger(since) && Number(since) >= 0)) {
    throw bad('since is the number of a change, such as 42.');
  }
  if (prefix !== undefined && url !== undefined)
    throw bad('A watch has a prefix or a url, not both.');
  const path = prefix ?? url ?? '';
  if (typeof path !== 'string' || path.length > MAX_ENVELOPE_URL_CHARS || !path.isWellFormed()) {
    throw bad('The prefix or url of a watch is a path, such as "/data/test".');
  }
  const name = path.startsWith('/') ? path.slice(1) : path;
  const filter = url === undefined ? { prefix: name } : { resource: decode(name) };
  return { filter, since: since === undefined ? undefined : Number(since) };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw bad('The url of a watch has a malformed percent escape.');
  }
}

function tooMany(): KeystowError {
  return new KeystowError(
    'too-many-requests',
    `A socket has at most ${MAX_FEEDS_PER_SOCKET} watches: end one, or use a shorter prefix.`,
  );
}

function bad(message: string): KeystowError {
  return new KeystowError('bad-request', message);
}
