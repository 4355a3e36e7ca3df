import { join } from 'node:path';
import { CONNECTIONS, probe, runLoad } from '../load.ts';
import { type RunningPeer, startPeer, stopPeers } from '../peers/peer.ts';
import type { LoadRequest } from '../prepared-request.ts';
import { type BenchSettings, type Findings, measureInTurns, type Subject } from './measure.ts';

export interface HttpMeasure {
  readonly name: string;
  /** Documents that every server holds at the start. */
  readonly keys: readonly string[];
  /** Makes the requests of the load; undefined when this server cannot do it. */
  requests(peer: RunningPeer): (() => LoadRequest) | undefined;
}

/** Loads every server over HTTP. Each is a fresh process with fresh data. */
export async function measureOverHttp(
  { name, keys, requests }: HttpMeasure,
  settings: BenchSettings,
): Promise<Findings> {
  console.error(`${name}: starting the servers`);
  const started = await Promise.all(
    settings.peers.map((peer) => startPeer(peer, join(settings.folder, name), keys)),
  );
  const subjects = started.flatMap((peer) => {
    const next = requests(peer);
    return next === undefined ? [] : [httpSubject(peer, next)];
  });
  for (const { settle } of subjects) await settle();
  const rows = await measureInTurns(name, settings, subjects);
  await stopPeers(started);
  return { rows };
}

export function httpSubject(
  peer: RunningPeer,
  next: () => LoadRequest,
  connections = CONNECTIONS,
): Subject {
  return {
    peer,
    load: (seconds) => runLoad(peer, next, { seconds, connections }),
    settle: () => probe(peer, next()),
  };
}
