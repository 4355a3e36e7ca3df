import { documentKeys } from '../documents.ts';
import { bareSocketIo, bareSocketIoTwice } from '../peers/bare-socket-io.ts';
import { keystow } from '../peers/keystow.ts';
import { type RunningPeer, startPeer, stopPeers } from '../peers/peer.ts';
import { runSocketLoad } from '../socket-load.ts';
import { type Measure, measureInTurns, type Row, type Subject } from './measure.ts';

const KEYS = 1_000;
const CLIENTS = 50;
/** Envelopes under way on each client. */
export const OUTSTANDING = [1, 32] as const;

export const socketOf = (kind: 'creates' | 'gets', outstanding: number) =>
  `socket ${kind}, ${CLIENTS} × ${outstanding}`;

/** Round trips of `http message`: creates and gets, with 1 and 32 outstanding on each client. */
export const socket: Measure = async (settings) => {
  console.error('socket: starting the servers');
  const keys = documentKeys('document', KEYS);
  const peers = await Promise.all(
    [keystow, bareSocketIo, bareSocketIoTwice].map((peer) =>
      startPeer(peer, `${settings.folder}/socket`, keys),
    ),
  );
  const rows: Row[] = [];
  for (const kind of ['creates', 'gets'] as const) {
    for (const outstanding of OUTSTANDING) {
      const subjects = peers.map((peer) => subject(peer, kind, outstanding));
      const measure = socketOf(kind, outstanding);
      rows.push(...(await measureInTurns(measure, settings, subjects)));
    }
  }
  await stopPeers(peers);
  return { rows };
};

let loads = 0;

function subject(peer: RunningPeer, kind: 'creates' | 'gets', outstanding: number): Subject {
  return {
    peer,
    load: (seconds) => {
      const prefix = `load-${loads++}`;
      const { url } = peer;
      return runSocketLoad({
        url,
        clients: CLIENTS,
        kind,
        outstanding,
        keys: KEYS,
        prefix,
        seconds,
      });
    },
    // The clients wait for every answer before they report, so nothing is left to settle.
    settle: async () => {},
  };
}
