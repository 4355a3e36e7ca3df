import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { runLoad } from '../load.ts';
import { keystow } from '../peers/keystow.ts';
import { type RunningServer, stopPeers } from '../peers/peer.ts';
import { s3rver } from '../peers/s3rver.ts';
import { startUploadPeer, type UploadPeer } from '../peers/upload-peer.ts';
import { BUCKET, formEnd, formHeaders, formStartOfPrefix } from '../signed-form.ts';
import { runUploadLoad } from '../upload-load.ts';
import { type Measure, measureInTurns, type Subject } from './measure.ts';

const peers: readonly UploadPeer[] = [
  { name: keystow.name, start: (folder) => keystow.start(folder, []) },
  s3rver,
];

const SMALL_BYTES = 454;
const LARGE_BYTES = 15_000_000;
const LARGE_AT_ONCE = 4;
/** Large uploads replace one another, so that a run does not fill the disk. */
const LARGE_KEYS = 16;
const PREFIX = 'forms/';

/** Forms with a file of 454 bytes, each under a new key. */
export const forms: Measure = (settings) =>
  measureForms('forms', settings, (server) => {
    const text = 'x'.repeat(SMALL_BYTES);
    const [before, after] = formStartOfPrefix(PREFIX);
    let count = 0;
    const bodyOf = (key: string): string => before + key + after + text + formEnd;
    const target = { ...server, headers: formHeaders };
    const next = () => ({
      method: 'POST' as const,
      path: `/${BUCKET}`,
      body: bodyOf(`${PREFIX}${count++}`),
    });
    return {
      peer: server,
      load: (seconds) => runLoad(target, next, { seconds }),
      settle: () => checkStored(server, Buffer.from(text), (key) => [Buffer.from(bodyOf(key))]),
    };
  });

/** Forms with a file of 15 MB, four under way at any time. */
export const largeForms: Measure = (settings) =>
  measureForms(`forms of 15 MB, ${LARGE_AT_ONCE} at once`, settings, (server) => {
    const file = randomBytes(LARGE_BYTES);
    const [before, after] = formStartOfPrefix(PREFIX);
    let count = 0;
    const piecesOf = (key: string): Buffer[] => [
      Buffer.from(before + key + after),
      file,
      Buffer.from(formEnd),
    ];
    return {
      peer: server,
      load: (seconds) =>
        runUploadLoad({
          url: server.url,
          path: `/${BUCKET}`,
          headers: formHeaders,
          atOnce: LARGE_AT_ONCE,
          seconds,
          next: () => piecesOf(`${PREFIX}${count++ % LARGE_KEYS}`),
        }),
      settle: () => checkStored(server, file, piecesOf),
    };
  });

async function measureForms(
  name: string,
  settings: Parameters<Measure>[0],
  subjectOf: (server: RunningServer) => Subject,
): ReturnType<Measure> {
  console.error(`${name}: starting the servers`);
  const folder = join(settings.folder, name.replaceAll(/\W+/g, '-'));
  const servers = await Promise.all(peers.map((peer) => startUploadPeer(peer, folder)));
  const subjects = servers.map(subjectOf);
  for (const { settle } of subjects) await settle();
  const rows = await measureInTurns(name, settings, subjects);
  await stopPeers(servers);
  return rows;
}

/** Uploads once, reads it back, and throws unless it is what was sent. */
async function checkStored(
  { name, url, headers }: RunningServer,
  file: Buffer,
  bodyOf: (key: string) => readonly Buffer[],
): Promise<void> {
  const key = `${PREFIX}probe`;
  const body = new Blob(bodyOf(key).map((piece) => new Uint8Array(piece)));
  const stored = await fetch(`${url}/${BUCKET}`, { method: 'POST', headers: formHeaders, body });
  const text = await stored.text();
  if (!stored.ok) throw new Error(`${name} answered a form with ${stored.status}: ${text}`);
  const read = await fetch(`${url}/${BUCKET}/${key}`, { headers });
  const bytes = Buffer.from(await read.arrayBuffer());
  if (!read.ok || !bytes.equals(file)) {
    throw new Error(`${name} gave ${read.status} and ${md5(bytes)} for ${md5(file)}.`);
  }
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
