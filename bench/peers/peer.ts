import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadRequest, LoadTarget } from '../prepared-request.ts';
import type { ServerProcess } from '../processes.ts';
import type { Needs } from './needs.ts';

/** A server that is measured beside Keystow. */
export interface Peer extends Needs {
  /** Starts it on free ports with these documents in it; whatever it writes goes into `folder`. */
  start(folder: string, keys: readonly string[]): Promise<RunningPeer>;
}

export interface RunningServer extends LoadTarget {
  /** The name of its peer. */
  readonly name: string;
  readonly processes: readonly ServerProcess[];
}

export interface RunningPeer extends RunningServer {
  /** Stores the document of a new key. */
  create(key: string): LoadRequest;
  /** Reads the document of a key that is there. */
  get(key: string): LoadRequest;
  /** Lists the first `PAGE_KEYS` keys; absent when the server has no ordered list. */
  list?(): LoadRequest;
}

/** Starts a peer in a folder of its own. */
export async function startPeer(
  peer: Peer,
  parent: string,
  keys: readonly string[],
): Promise<RunningPeer> {
  const folder = join(parent, peer.name.replaceAll(/\W+/g, '-'));
  await mkdir(folder, { recursive: true });
  return peer.start(folder, keys);
}

/** Ends the processes of all these servers. */
export async function stopPeers(peers: readonly RunningServer[]): Promise<void> {
  await Promise.all(peers.flatMap(({ processes }) => processes).map((server) => server.stop()));
}
