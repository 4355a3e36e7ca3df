import { statfs } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { formatCosts } from './cost-table.ts';
import { CONNECTIONS } from './load.ts';
import { creates } from './measures/creates.ts';
import { forms, largeForms } from './measures/forms.ts';
import { gets } from './measures/gets.ts';
import { lists } from './measures/lists.ts';
import type { BenchSettings, Measure, Row } from './measures/measure.ts';
import { nodes } from './measures/nodes.ts';
import { socket } from './measures/socket.ts';
import { bareHttp } from './peers/bare-http.ts';
import { bareKoa } from './peers/bare-koa.ts';
import { etcd } from './peers/etcd.ts';
import { jsonServer } from './peers/json-server.ts';
import { keystow } from './peers/keystow.ts';
import type { Peer } from './peers/peer.ts';
import { webdis } from './peers/webdis.ts';
import { findProgram, runInTemporaryFolder } from './processes.ts';
import { formatTable } from './table.ts';

const peers: readonly Peer[] = [keystow, bareHttp, bareKoa, jsonServer, etcd, webdis];
const measures: ReadonlyMap<string, Measure> = new Map([
  ['creates', creates],
  ['gets', gets],
  ['lists', lists],
  ['socket', socket],
  ['forms', forms],
  ['large-forms', largeForms],
  ['nodes', nodes],
]);
const TMPFS_MAGIC = 0x01021994;

await runInTemporaryFolder(async (folder) => {
  const { values: flags } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: [...measures.keys()].join(',') },
    },
  });
  const settings: BenchSettings = {
    folder,
    seconds: parseNumber('--seconds', flags.seconds, 60),
    rounds: parseNumber('--rounds', flags.rounds, 100),
    peers: peers.filter((peer) => missingPackages(peer).length === 0),
  };
  const chosen = flags.only.split(',').map(parseMeasure);
  const rows: Row[] = [];
  for (const measure of chosen) rows.push(...(await measure(settings)));
  console.log(await describeRun(settings));
  console.log(formatTable(rows));
  if (rows.some(({ cost }) => cost)) console.log(`\n${formatCosts(rows)}`);
});

function parseNumber(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`Give ${flag} a whole number from 1 to ${most}.`);
  }
  return value;
}

function parseMeasure(name: string): Measure {
  const measure = measures.get(name);
  if (measure === undefined) throw new Error(`Give --only names out of ${[...measures.keys()]}.`);
  return measure;
}

function missingPackages(peer: Peer): string[] {
  return peer.needs
    .filter(({ program }) => findProgram(program) === undefined)
    .map(({ aptPackage }) => aptPackage);
}

async function describeRun({ folder, seconds, rounds }: BenchSettings): Promise<string> {
  const notInstalled = peers
    .map((peer) => ({ name: peer.name, packages: missingPackages(peer) }))
    .filter(({ packages }) => packages.length > 0)
    .map(({ name, packages }) => `not installed: ${name} (apt-get install ${packages.join(' ')})`);
  const inMemory = (await statfs(folder)).type === TMPFS_MAGIC;
  return [
    `median of ${rounds} × ${seconds} s; HTTP over ${CONNECTIONS} keep-alive connections; ` +
      `Node.js ${process.version}; ${cpus().length} cores`,
    ...notInstalled,
    ...(inMemory
      ? ['The folder is in memory: creates are not durable. Set TMPDIR to a disk.']
      : []),
    '',
  ].join('\n');
}
