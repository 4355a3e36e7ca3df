import { join } from 'node:path';
import { type Cost, sumOfCosts, withCost } from '../cost.ts';
import type { Database } from '../database.ts';
import { documentKeys, freshKeys, randomKey } from '../documents.ts';
import { fill, probe, runLoad } from '../load.ts';
import { keystow } from '../peers/keystow.ts';
import { nodesAsServer, startNodes } from '../peers/nodes.ts';
import { type RunningPeer, startPeer, stopPeers } from '../peers/peer.ts';
import type { LoadRequest } from '../prepared-request.ts';
import { type BenchSettings, type Measure, measureInTurns, type Row } from './measure.ts';

const NODES = 3;
const KEYS = 5_000;

interface Deployment {
  readonly server: RunningPeer;
  /** Undefined: the store is embedded. */
  readonly database: Database | undefined;
  /** Never the same twice in one store. */
  readonly nextKey: () => string;
}

/**
 * Creates and gets with the embedded store, with one node on PostgreSQL, and with three nodes on it. The
 * three run all the time, since one without requests takes no time of the others.
 */
export const nodes: Measure = async (settings) => {
  console.error('nodes: starting the servers');
  const folder = join(settings.folder, 'nodes');
  const keys = documentKeys('document', KEYS);
  const embedded = await startPeer(keystow, folder, keys);
  const { database, nodes: all } = await startNodes(folder, NODES);
  const one = nodesAsServer(all.slice(0, 1));
  await fill(one, keys, one.create);
  const shared = { database, nextKey: freshKeys('new') };
  const deployments = [
    { server: embedded, database: undefined, nextKey: freshKeys('new') },
    { server: one, ...shared },
    { server: nodesAsServer(all), ...shared },
  ];
  const rows = [
    ...(await measureDeployments('nodes: creates', settings, deployments, (deployment) =>
      deployment.server.create(deployment.nextKey()),
    )),
    ...(await measureDeployments('nodes: gets', settings, deployments, ({ server }) =>
      server.get(randomKey('document', KEYS)),
    )),
  ];
  await stopPeers([embedded, ...all]);
  await database.server.stop();
  return { rows };
};

async function measureDeployments(
  measure: string,
  settings: BenchSettings,
  deployments: readonly Deployment[],
  next: (deployment: Deployment) => LoadRequest,
): Promise<Row[]> {
  const turns = new Map<string, (Cost | undefined)[]>();
  const subjects = deployments.map((deployment) => {
    const { server, database } = deployment;
    const request = () => next(deployment);
    const costs: (Cost | undefined)[] = [];
    turns.set(server.name, costs);
    return {
      peer: server,
      async load(seconds: number) {
        const load = () => runLoad(server, request, { seconds });
        const { round, cost } = await withCost(server, database, load);
        costs.push(cost);
        return round;
      },
      settle: () => probe(server, request()),
    };
  });
  const rows = await measureInTurns(measure, settings, subjects);
  return rows.map((row) => {
    // The first turn warmed up.
    const [, ...counted] = turns.get(row.server) ?? [];
    const cost = sumOfCosts(counted.filter((known) => known !== undefined));
    return cost ? { ...row, cost } : row;
  });
}
