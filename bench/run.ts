import { parseArgs } from 'node:util';
import { formatCosts } from './cost-table.ts';
import { CONNECTIONS } from './load.ts';
import { describeMachine } from './machine.ts';
import { creates } from './measures/creates.ts';
import { forms, largeForms, stream } from './measures/forms.ts';
import { gets } from './measures/gets.ts';
import { growth } from './measures/growth.ts';
import { lists } from './measures/lists.ts';
import type { BenchSettings, Findings, Measure } from './measures/measure.ts';
import { nodes } from './measures/nodes.ts';
import { socket } from './measures/socket.ts';
import { start } from './measures/start.ts';
import { tls } from './measures/tls.ts';
import { bareHttp } from './peers/bare-http.ts';
import { bareKoa } from './peers/bare-koa.ts';
import { etcd } from './peers/etcd.ts';
import { jsonServer } from './peers/json-server.ts';
import { keystow } from './peers/keystow.ts';
import { isInstalled, missingPackages, type Needs } from './peers/needs.ts';
import { nginx } from './peers/nginx.ts';
import type { Peer } from './peers/peer.ts';
import { webdis } from './peers/webdis.ts';
import { runInTemporaryFolder } from './processes.ts';
import { formatFigures, formatTable } from './table.ts';
import { formatTargets } from './target-table.ts';
import { targetsOf } from './targets.ts';

const peers: readonly Peer[] = [keystow, bareHttp, bareKoa, jsonServer, etcd, webdis];
const toInstall: readonly Needs[] = [...peers, nginx];
const measures: ReadonlyMap<string, Measure> = new Map([
  ['creates', creates],
  ['gets', gets],
  ['lists', lists],
  ['socket', socket],
  ['tls', tls],
  ['forms', forms],
  ['large-forms', largeForms],
  ['stream', stream],
  ['start', start],
  ['nodes', nodes],
  ['growth', growth],
]);
/** `growth` has no targets, and takes as long as half of the others. */
const byDefault = [...measures.keys()].filter((name) => name !== 'growth');

await runInTemporaryFolder(async (folder) => {
  const { values: flags } = parseArgs({
    options: {
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
      keys: { type: 'string', default: '1000000' },
      only: { type: 'string', default: byDefault.join(',') },
    },
  });
  const settings: BenchSettings = {
    folder,
    seconds: parseNumber('--seconds', flags.seconds, 1, 60),
    rounds: parseNumber('--rounds', flags.rounds, 1, 100),
    keys: parseNumber('--keys', flags.keys, 10_001, 20_000_000),
    peers: peers.filter(isInstalled),
  };
  const chosen = flags.only.split(',').map((name) => ({ name, measure: parseMeasure(name) }));
  const findings: Findings[] = [];
  for (const { name, measure } of chosen) {
    const begun = performance.now();
    findings.push(await measure(settings));
    console.error(`${name}: took ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  }
  console.log(await describeRun(settings));
  console.log(formatFindings(findings, settings));
});

function parseNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`Give ${flag} a whole number from ${least} to ${most}.`);
  }
  return value;
}

function parseMeasure(name: string): Measure {
  const measure = measures.get(name);
  if (measure === undefined) throw new Error(`Give --only names out of ${[...measures.keys()]}.`);
  return measure;
}

async function describeRun({ folder, seconds, rounds }: BenchSettings): Promise<string> {
  const missing = toInstall.filter((peer) => !isInstalled(peer));
  return [
    `Median of ${rounds} × ${seconds} s; HTTP over ${CONNECTIONS} keep-alive connections.`,
    ...(await describeMachine(folder)),
    ...missing.map(
      (peer) => `Not installed: ${peer.name} (apt-get install ${missingPackages(peer).join(' ')})`,
    ),
    '',
  ].join('\n');
}

/** All tables that have lines. */
function formatFindings(found: readonly Findings[], { keys }: BenchSettings): string {
  const rows = found.flatMap((findings) => findings.rows);
  const figures = found.flatMap((findings) => findings.figures ?? []);
  const costs = rows.filter(({ cost }) => cost);
  const targets = targetsOf({ rows, figures }, keys);
  return [
    ...(rows.length > 0 ? [formatTable(rows)] : []),
    ...(costs.length > 0 ? [formatCosts(costs)] : []),
    ...(figures.length > 0 ? [formatFigures(figures)] : []),
    ...(targets.length > 0 ? [formatTargets(targets)] : []),
  ].join('\n\n');
}
