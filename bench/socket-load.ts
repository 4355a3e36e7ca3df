import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Round } from './load.ts';
import { track } from './processes.ts';

/** A load of round trips on one Socket.IO server. */
export interface SocketLoad {
  readonly url: string;
  /** Each is on a websocket of its own. */
  readonly clients: number;
  readonly kind: 'creates' | 'gets';
  /** Whether each envelope asks for an acknowledgement, which the server then sends beside the event. */
  readonly withAck: boolean;
  /** Envelopes that each client keeps without an answer. */
  readonly outstanding: number;
  /** Documents `document-…` that the server holds, for gets. */
  readonly keys: number;
  /** Beginning of the keys that creates use; never the same twice on one server. */
  readonly prefix: string;
  readonly seconds: number;
}

const clientsProgram = fileURLToPath(new URL('./socket-clients.js', import.meta.url));

/** Loads a server from clients in a process of their own; throws when that process fails. */
export async function runSocketLoad(load: SocketLoad): Promise<Round> {
  const child = fork(clientsProgram, [JSON.stringify(load)]);
  track(child);
  let round: Round | undefined;
  child.once('message', (message: Round) => {
    round = message;
  });
  const [code] = await once(child, 'exit');
  if (round === undefined) throw new Error(`The Socket.IO clients failed with exit code ${code}.`);
  return round;
}
