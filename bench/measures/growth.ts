import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DOCUMENT_BYTES, freshKeys, randomKey } from '../documents.ts';
import { filledDataDir } from '../filled-data-dir.ts';
import { CONNECTIONS } from '../load.ts';
import { startKeystow } from '../peers/keystow.ts';
import { type RunningPeer, stopPeers } from '../peers/peer.ts';
import { type BenchSettings, type Measure, measureInTurns } from './measure.ts';
import { httpSubject } from './over-http.ts';

/** One Keystow, and what it is asked for. */
interface Case {
  readonly name: string;
  readonly bytes: number;
  readonly connections: number;
  readonly keys: number;
}

const KIB = 1_024;
const base = { bytes: DOCUMENT_BYTES, connections: CONNECTIONS, keys: 10_000 };
const KEYS = [10_000, 100_000];
const CONNECTION_COUNTS = [1, 16, 64, 256, 1_000];
/** Of large documents there are fewer, so that each store takes about as much of the disk. */
const SIZES = [
  { bytes: DOCUMENT_BYTES, keys: 10_000, name: `${DOCUMENT_BYTES} B` },
  { bytes: 4 * KIB, keys: 10_000, name: '4 KiB' },
  { bytes: 64 * KIB, keys: 1_000, name: '64 KiB' },
  { bytes: 512 * KIB, keys: 200, name: '512 KiB' },
];

/**
 * How Keystow's rates change with the size of documents, with connections, and with the keys that it
 * holds; whatever a case does not name is as in the other measures.
 */
export const growth: Measure = async (settings) => {
  const counts = [...KEYS.filter((count) => count < settings.keys), settings.keys];
  const subjects = {
    sizes: SIZES.map(({ name, bytes, keys }) => ({ ...base, name, bytes, keys })),
    connections: CONNECTION_COUNTS.map((connections) => ({
      ...base,
      name: `${connections.toLocaleString('en')} ${connections === 1 ? 'connection' : 'connections'}`,
      connections,
    })),
    keys: counts.map((keys) => ({ ...base, name: `${keys.toLocaleString('en')} keys`, keys })),
  };
  const rows = [];
  for (const [what, cases] of Object.entries(subjects)) {
    rows.push(...(await measureCases(what, cases, settings)));
  }
  return { rows };
};

async function measureCases(what: string, cases: readonly Case[], settings: BenchSettings) {
  console.error(`growth, ${what}: starting the servers`);
  const folder = join(settings.folder, `growth-${what}`);
  const servers: { readonly server: RunningPeer; readonly of: Case }[] = [];
  for (const of of cases) servers.push({ server: await startCase(of, join(folder, of.name)), of });
  const getting = servers.map(({ server, of }) =>
    httpSubject(server, () => server.get(randomKey('document', of.keys)), of.connections),
  );
  const creating = servers.map(({ server, of }) => {
    const nextKey = freshKeys('new');
    return httpSubject(server, () => server.create(nextKey()), of.connections);
  });
  const rows = [
    ...(await measureInTurns(`growth: gets, ${what}`, settings, getting)),
    ...(await measureInTurns(`growth: creates, ${what}`, settings, creating)),
  ];
  await stopPeers(servers.map(({ server }) => server));
  return rows;
}

async function startCase({ name, bytes, keys }: Case, folder: string): Promise<RunningPeer> {
  await mkdir(folder, { recursive: true });
  const DATA_DIR = await filledDataDir(folder, keys, bytes);
  return startKeystow(name, folder, { DATA_DIR }, bytes);
}
