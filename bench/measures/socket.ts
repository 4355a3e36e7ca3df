import { documentKeys } from '../documents.ts';
import { bareSocketIo } from '../peers/bare-socket-io.ts';
import { keystow } from '../peers/keystow.ts';
import { type RunningPeer, startPeer, stopPeers } from '../peers/peer.ts';
import { runSocketLoad, type SocketLoad } from '../socket-load.ts';
import { type Measure, measureInTurns, type Row, type Subject } from './measure.ts';

const KEYS = 1_000;
const CLIENTS = 50;
/** Envelopes under way on each client. */
const OUTSTANDING = [1, 32];

type Load = Pick<SocketLoad, 'kind' | 'outstanding' | 'withAck'>;

export const socketOf = ({ kind, outstanding, withAck }: Load) =>
  `socket ${kind}, ${CLIENTS} × ${outstanding}${withAck ? ', ack too' : ''}`;

export const LOADS: readonly Load[] = (['creates', 'gets'] as const).flatMap((kind) =>
  OUTSTANDING.flatMap((outstanding) =>
    [false, true].map((withAck) => ({ kind, outstanding, withAck })),
  ),
);

/**
 * Round trips of `http message`: creates and gets, with 1 and 32 outstanding on each client, answered
 * by the event alone and with an acknowledgement, too.
 */
export const socket: Measure = async (settings) => {
  console.error('socket: starting the servers');
  const keys = documentKeys('document', KEYS);
  const peers = await Promise.all(
    [keystow, bareSocketIo].map((peer) => startPeer(peer, `${settings.folder}/socket`, keys)),
  );
  const rows: Row[] = [];
  for (const load of LOADS) {
    const subjects = peers.map((peer) => subject(peer, load));
    rows.push(...(await measureInTurns(socketOf(load), settings, subjects)));
  }
  await stopPeers(peers);
  return { rows };
};

let loads = 0;

function subject(peer: RunningPeer, load: Load): Subject {
  return {
    peer,
    load: (seconds) => {
      const prefix = `load-${loads++}`;
      const { url } = peer;
      return runSocketLoad({ ...load, url, clients: CLIENTS, keys: KEYS, prefix, seconds });
    },
    // The clients wait for every answer before they report, so nothing is left to settle.
    settle: async () => {},
  };
}
