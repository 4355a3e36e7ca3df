import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { documentKeys, freshKeys, randomKey } from '../documents.ts';
import { fill } from '../load.ts';
import { keystow, startKeystow, startSecureKeystow } from '../peers/keystow.ts';
import { type RunningPeer, stopPeers } from '../peers/peer.ts';
import { type Measure, measureInTurns } from './measure.ts';
import { httpSubject } from './over-http.ts';

const KEYS = 5_000;

export const TLS_CREATES = 'creates over TLS';
export const TLS_GETS = 'gets over TLS';
export const WITHOUT_TLS = `${keystow.name} without TLS`;

/** Creates and gets over TLS, on connections that stay, beside the same without. */
export const tls: Measure = async (settings) => {
  console.error('tls: starting the servers');
  const secureFolder = join(settings.folder, 'tls', 'secure');
  const plainFolder = join(settings.folder, 'tls', 'plain');
  for (const folder of [secureFolder, plainFolder]) await mkdir(folder, { recursive: true });
  const secure = await startSecureKeystow(keystow.name, secureFolder);
  const plain = await startKeystow(WITHOUT_TLS, plainFolder);
  const servers = [secure, plain];
  const keys = documentKeys('document', KEYS);
  for (const server of servers) await fill(server, keys, server.create);
  const rows = [
    ...(await measureInTurns(TLS_CREATES, settings, servers.map(createsOf))),
    ...(await measureInTurns(TLS_GETS, settings, servers.map(getsOf))),
  ];
  await stopPeers(servers);
  return { rows };
};

function createsOf(server: RunningPeer) {
  const nextKey = freshKeys('new');
  return httpSubject(server, () => server.create(nextKey()));
}

const getsOf = (server: RunningPeer) =>
  httpSubject(server, () => server.get(randomKey('document', KEYS)));
