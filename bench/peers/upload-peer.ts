import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningServer } from './peer.ts';

/** A server that takes forms, as one that is measured beside Keystow. */
export interface UploadPeer {
  /** As the table names it. */
  readonly name: string;
  /** Starts it on a free port with the bucket of the forms; whatever it writes goes into `folder`. */
  start(folder: string): Promise<RunningServer>;
}

/** Starts a peer in a folder of its own. */
export async function startUploadPeer(peer: UploadPeer, parent: string): Promise<RunningServer> {
  const folder = join(parent, peer.name.replaceAll(/\W+/g, '-'));
  await mkdir(folder, { recursive: true });
  return peer.start(folder);
}
