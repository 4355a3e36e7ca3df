import { io, type Socket } from 'socket.io-client';
import type {
  ClientToServerEvents,
  EnvelopeAnswer,
  ServerToClientEvents,
} from '../../shared/envelope.ts';
import { PASSWORD } from '../support/environment.ts';
import { type Client, type ClientAnswer, type ClientRequest, etagNumber } from './client.ts';

/** The same over one websocket; texts travel as texts, so that they can be compared exactly. */
export async function createSocketClient(url: string): Promise<Client> {
  const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    auth: { username: 'admin', password: PASSWORD },
  });
  const brokenOff = new Promise<undefined>((resolve) => {
    socket.once('disconnect', () => resolve(undefined));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('connect_error', reject);
  });

  function send({ method, path, body, headers }: ClientRequest): Promise<ClientAnswer | undefined> {
    if (!socket.connected) return Promise.resolve(undefined);
    const answered = new Promise<ClientAnswer>((resolve) => {
      const envelope = {
        method,
        url: path,
        headers: { accept: 'text/plain', 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { data: body }),
      };
      socket.emit('http message', envelope, (answer) => resolve(toAnswer(answer)));
    });
    return Promise.race([answered, brokenOff]);
  }

  return { send, close: () => socket.disconnect() };
}

function toAnswer({ status, headers, data }: EnvelopeAnswer): ClientAnswer {
  return {
    status,
    etag: etagNumber(headers?.etag),
    text: typeof data === 'string' ? data : data === undefined ? '' : JSON.stringify(data),
  };
}
