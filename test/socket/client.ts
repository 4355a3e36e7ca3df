import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { inspect } from 'node:util';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { EnvelopeAnswer } from '../../shared/envelope.ts';
import { PASSWORD } from '../support/environment.ts';

/** What the tests need of socket.io-client: anything may be sent, every answer is checked. */

type Events = { 'http message': (...args: unknown[]) => void };
export type Client = Socket<Events, Events>;

export const admin = { username: 'admin', password: PASSWORD };

const MEMBERS = ['method', 'url', 'status', 'statusText', 'data', 'headers', 'id'];

interface Options extends Partial<ManagerOptions & SocketOptions> {
  /** Where the client calls from: loopback has many addresses. */
  readonly localAddress?: string;
}

/** A client that begins to connect: websocket only unless told. What it emits waits until then. */
export function createClient(url: string, { localAddress, ...options }: Options = {}): Client {
  const agent = localAddress === undefined ? false : agentFrom(localAddress, url);
  return io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    rejectUnauthorized: false,
    // @ts-expect-error its types know the browser's agent only; Node's is handed on all the same.
    agent,
    ...options,
  });
}

function agentFrom(localAddress: string, url: string): Agent {
  return url.startsWith('https:')
    ? new TlsAgent({ localAddress, rejectUnauthorized: false })
    : new Agent({ localAddress });
}

/** A connected client. Rejects where the handshake is refused. */
export async function connect(url: string, options: Options = {}): Promise<Client> {
  const client = createClient(url, options);
  await new Promise<void>((resolve, reject) => {
    client.once('connect', resolve);
    client.once('connect_error', (error) => {
      client.close();
      reject(error);
    });
  });
  return client;
}

/** Emits one envelope with an acknowledgement; rejects when the socket goes before the answer. */
export function ask(client: Client, ...args: unknown[]): Promise<EnvelopeAnswer> {
  return observed((resolve, reject) => {
    const onGone = (reason: string): void => reject(new Error(`Not answered: ${reason}.`));
    client.once('disconnect', onGone);
    client.emit('http message', ...args, (answer: unknown) => {
      client.off('disconnect', onGone);
      resolve(toAnswer(answer));
    });
  });
}

/** The next `count` answers that come as events. */
export function answers(client: Client, count: number): Promise<EnvelopeAnswer[]> {
  return observed((resolve, reject) => {
    const seen: EnvelopeAnswer[] = [];
    client.once('disconnect', (reason) => reject(new Error(`Not answered: ${reason}.`)));
    client.on('http message', function onAnswer(answer) {
      seen.push(toAnswer(answer));
      if (seen.length < count) return;
      client.off('http message', onAnswer);
      resolve(seen);
    });
  });
}

/** A promise that may fail after its test has: only who awaits it hears of that. */
function observed<T>(start: ConstructorParameters<typeof Promise<T>>[0]): Promise<T> {
  const promise = new Promise<T>(start);
  promise.catch(() => {});
  return promise;
}

/** One request as the admin. */
export function request(
  client: Client,
  method: string,
  url: string,
  data?: unknown,
  headers?: Record<string, unknown>,
): Promise<EnvelopeAnswer> {
  return ask(client, {
    auth: admin,
    method,
    url,
    ...(data === undefined ? {} : { data }),
    ...(headers === undefined ? {} : { headers }),
  });
}

/** Checks the members that every answer has, and that it has no others. */
export function toAnswer(value: unknown): EnvelopeAnswer {
  if (!isAnswer(value)) throw new Error(`No answer: ${inspect(value)}`);
  const unknown = Object.keys(value).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) throw new Error(`No answer has a member ${unknown}.`);
  return value;
}

function isAnswer(value: unknown): value is EnvelopeAnswer {
  if (typeof value !== 'object' || value === null) return false;
  const members: Record<string, unknown> = { ...value };
  const isText = (name: string): boolean =>
    members[name] === null || typeof members[name] === 'string';
  return (
    isText('method') &&
    isText('url') &&
    Number.isInteger(members['status']) &&
    typeof members['statusText'] === 'string'
  );
}
