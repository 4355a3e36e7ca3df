import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, Envelope, ServerToClientEvents } from '../shared/envelope.ts';
import { credentials } from './credentials.ts';
import { documentText, freshKeys, randomKey } from './documents.ts';
import type { Round } from './load.ts';
import { percentile } from './percentile.ts';
import type { SocketLoad } from './socket-load.ts';

type Client = Socket<ServerToClientEvents, ClientToServerEvents>;

interface RoundTrips {
  readonly client: Client;
  send(envelope: Envelope, onAnswer: (status: number) => void): void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const DRAIN_TIMEOUT_MS = 10_000;

// The program that runSocketLoad starts: it sends its Round to its parent and ends.
const load: SocketLoad = JSON.parse(process.argv[2] ?? '');
process.once('disconnect', () => process.exit(1));
const clients = await Promise.all(Array.from({ length: load.clients }, () => connect(load.url)));
const round = await keepBusy(clients.map(load.withAck ? byAck : byEvent), envelopesOf(load));
for (const client of clients) client.disconnect();
process.send?.(round, () => process.exit(0));

async function connect(url: string): Promise<Client> {
  const client: Client = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    timeout: CONNECT_TIMEOUT_MS,
  });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', resolve);
    client.once('connect_error', reject);
  });
  return client;
}

function envelopesOf({ kind, keys, prefix }: SocketLoad): () => Envelope {
  if (kind === 'creates') {
    const nextKey = freshKeys(prefix);
    return () => {
      const key = nextKey();
      const data: unknown = JSON.parse(documentText(key));
      return { auth: credentials, url: `/data/${key}`, method: 'POST', data };
    };
  }
  return () => ({ auth: credentials, url: `/data/${randomKey('document', keys)}`, method: 'GET' });
}

function byAck(client: Client): RoundTrips {
  return {
    client,
    send: (envelope, onAnswer) =>
      client.emit('http message', envelope, ({ status }) => onAnswer(status)),
  };
}

/** Answers come in any order: an `id` pairs them. */
function byEvent(client: Client): RoundTrips {
  const waiting = new Map<unknown, (status: number) => void>();
  let count = 0;
  client.on('http message', ({ id, status }) => {
    const onAnswer = waiting.get(id);
    waiting.delete(id);
    onAnswer?.(status);
  });
  return {
    client,
    send(envelope, onAnswer) {
      count += 1;
      waiting.set(count, onAnswer);
      client.emit('http message', { ...envelope, id: count });
    },
  };
}

/** Keeps `outstanding` envelopes under way on each client until the time is up. */
async function keepBusy(trips: readonly RoundTrips[], next: () => Envelope): Promise<Round> {
  const milliseconds: number[] = [];
  const failures = new Map<string, number>();
  const count = (what: string) => failures.set(what, (failures.get(what) ?? 0) + 1);
  const start = performance.now();
  const end = start + load.seconds * 1_000;
  let unanswered = 0;

  const send = (trip: RoundTrips) => {
    const sent = performance.now();
    unanswered += 1;
    trip.send(next(), (status) => {
      const now = performance.now();
      unanswered -= 1;
      if (now >= end) return;
      if (status >= 200 && status < 300) milliseconds.push(now - sent);
      else count(`× ${status}`);
      send(trip);
    });
  };
  for (const trip of trips) {
    trip.client.once('disconnect', () => count('connections lost'));
    for (let slot = 0; slot < load.outstanding; slot += 1) send(trip);
  }
  await delay(load.seconds * 1_000);
  const drainedBy = performance.now() + DRAIN_TIMEOUT_MS;
  while (unanswered > 0 && performance.now() < drainedBy) await delay(10);
  if (unanswered > 0) failures.set('unanswered', unanswered);
  for (const { client } of trips) client.removeAllListeners('disconnect');
  return {
    rate: milliseconds.length / load.seconds,
    p99: percentile(milliseconds, 0.99),
    answers: milliseconds.length,
    failures: [...failures].map(([what, times]) => `${times} ${what}`).join(', '),
  };
}
