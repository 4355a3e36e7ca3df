import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, startDatabase } from '../database.ts';
import { startKeystow } from './keystow.ts';
import type { RunningPeer } from './peer.ts';

/** Keystow's nodes on one PostgreSQL. */
export interface Nodes {
  readonly database: Database;
  readonly nodes: readonly RunningPeer[];
}

/** Starts a database and so many nodes on it, at once. Large objects would be each node's own. */
export async function startNodes(parent: string, count: number): Promise<Nodes> {
  const database = await startDatabase(join(parent, 'PostgreSQL'));
  const settings = { STORE: database.url, MASTER_KEY: randomBytes(32).toString('base64') };
  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = `node ${index + 1}`;
      const folder = join(parent, `node-${index + 1}`);
      await mkdir(folder, { recursive: true });
      return startKeystow(name, folder, settings);
    }),
  );
  return { database, nodes };
}

/** The first nodes as one server: its connections go to them in turn. */
export function nodesAsServer(nodes: readonly RunningPeer[]): RunningPeer {
  const [first] = nodes;
  if (first === undefined) throw new Error('Give at least one node.');
  return {
    ...first,
    name: nodes.length === 1 ? '1 node' : `${nodes.length} nodes`,
    urls: nodes.map(({ url }) => url),
    processes: nodes.flatMap(({ processes }) => processes),
  };
}
