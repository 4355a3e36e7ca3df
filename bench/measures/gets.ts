import { join } from 'node:path';
import { documentKeys, randomKey } from '../documents.ts';
import { filledDataDir } from '../filled-data-dir.ts';
import { bareHttp } from '../peers/bare-http.ts';
import { bareKoa } from '../peers/bare-koa.ts';
import { etcd } from '../peers/etcd.ts';
import { keystow, startKeystow } from '../peers/keystow.ts';
import { type RunningPeer, startPeer, stopPeers } from '../peers/peer.ts';
import { type Measure, measureInTurns, type Row } from './measure.ts';
import { httpSubject } from './over-http.ts';

const KEYS = 10_000;
/** What the large store is compared with; those that store something hold fewer keys. */
const BESIDE_MANY_KEYS = [keystow, bareHttp, bareKoa, etcd].map(({ name }) => name);
const STORING = [keystow.name, etcd.name];

export const getsOf = (keys: number) => `gets, ${withCommas(keys)} keys`;
export const GETS = getsOf(KEYS);
/** How the rows of the large store name a server that holds fewer keys. */
export const withFewKeys = (server: string) => `${server}, ${withCommas(KEYS)} keys`;

/**
 * Documents read by random keys out of 10,000, and out of the large store for Keystow. All of them
 * take turns, so that the two stores can be compared as well.
 */
export const gets: Measure = async (settings) => {
  console.error('gets: starting the servers');
  const folder = join(settings.folder, 'gets');
  const many = getsOf(settings.keys);
  const DATA_DIR = await filledDataDir(settings.folder, settings.keys);
  const keys = documentKeys('document', KEYS);
  const peers = await Promise.all(settings.peers.map((peer) => startPeer(peer, folder, keys)));
  const large = await startKeystow(many, folder, { DATA_DIR });
  const rows = await measureInTurns('gets', settings, [
    ...peers.map((peer) => subject(peer, KEYS)),
    subject(large, settings.keys),
  ]);
  await stopPeers([...peers, large]);
  return { rows: [...rowsOfFewKeys(rows, many), ...rowsOfManyKeys(rows, many)] };
};

const subject = (peer: RunningPeer, keys: number) =>
  httpSubject(peer, () => peer.get(randomKey('document', keys)));

function rowsOfFewKeys(rows: readonly Row[], many: string): Row[] {
  return rows.filter(({ server }) => server !== many).map((row) => ({ ...row, measure: GETS }));
}

function rowsOfManyKeys(rows: readonly Row[], many: string): Row[] {
  const large = rows.filter(({ server }) => server === many);
  const others = rows.filter(({ server }) => BESIDE_MANY_KEYS.includes(server));
  return [
    ...large.map((row) => ({ ...row, server: keystow.name })),
    ...others.map((row) =>
      STORING.includes(row.server) ? { ...row, server: withFewKeys(row.server) } : row,
    ),
  ].map((row) => ({ ...row, measure: many }));
}

function withCommas(count: number): string {
  return count.toLocaleString('en');
}
