import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runLoad } from '../load.ts';
import { bareUpload } from '../peers/bare-upload.ts';
import { keystowForms } from '../peers/keystow-forms.ts';
import { isInstalled } from '../peers/needs.ts';
import { nginx } from '../peers/nginx.ts';
import { stopPeers } from '../peers/peer.ts';
import { s3rver } from '../peers/s3rver.ts';
import {
  type RunningUploadPeer,
  startUploadPeer,
  UPLOAD_PREFIX,
  type UploadPeer,
} from '../peers/upload-peer.ts';
import { runUploadLoad, upload } from '../upload-load.ts';
import { type Measure, measureInTurns, type Subject } from './measure.ts';

/** What files are uploaded, and how. */
interface UploadMeasure {
  readonly name: string;
  readonly peers: readonly UploadPeer[];
  /** The bytes of each file. */
  readonly file: readonly Buffer[];
  load(server: RunningUploadPeer): Subject['load'];
}

const SMALL_BYTES = 454;
const LARGE_BYTES = 15_000_000;
const LARGE_AT_ONCE = 4;
/** Large uploads replace one another, so that a run does not fill the disk. */
const LARGE_KEYS = 16;
const STREAM_PIECES = 16;
const STREAM_PIECE_BYTES = 16_000_000;
const STREAM_KEYS = 2;

const run = promisify(execFile);

export const FORMS = 'forms';
export const LARGE_FORMS = `forms of 15 MB, ${LARGE_AT_ONCE} at once`;
export const STREAM = 'forms of 256 MB, one stream';

/** Files of 454 bytes, each under a new key. */
export const forms: Measure = (settings) => {
  const text = 'x'.repeat(SMALL_BYTES);
  return measureUploads(settings, {
    name: FORMS,
    peers: [keystowForms, s3rver, nginx],
    file: [Buffer.from(text)],
    load: (server) => {
      let count = 0;
      const next = () => {
        const { method, path, before, after } = server.uploadOf(`${UPLOAD_PREFIX}${count++}`);
        return { method, path, body: before + text + after };
      };
      const { headers } = server.uploadOf(UPLOAD_PREFIX);
      return (seconds) => runLoad({ ...server, headers }, next, { seconds });
    },
  });
};

/** Files of 15 MB, four under way at any time. */
export const largeForms: Measure = (settings) => {
  const file = [randomBytes(LARGE_BYTES)];
  return measureUploads(settings, {
    name: LARGE_FORMS,
    peers: [keystowForms, s3rver, nginx],
    file,
    load: (server) => loadLarge(server, file, LARGE_AT_ONCE, LARGE_KEYS),
  });
};

/** Files of 256 MB, one after another. */
export const stream: Measure = (settings) => {
  const piece = randomBytes(STREAM_PIECE_BYTES);
  const file = Array.from({ length: STREAM_PIECES }, () => piece);
  return measureUploads(settings, {
    name: STREAM,
    peers: [keystowForms, s3rver, nginx, bareUpload],
    file,
    load: (server) => loadLarge(server, file, 1, STREAM_KEYS),
  });
};

function loadLarge(
  server: RunningUploadPeer,
  file: readonly Buffer[],
  atOnce: number,
  keys: number,
): Subject['load'] {
  let count = 0;
  const next = () => server.uploadOf(`${UPLOAD_PREFIX}${count++ % keys}`);
  return (seconds) => runUploadLoad({ url: server.url, file, atOnce, seconds, next });
}

async function measureUploads(
  settings: Parameters<Measure>[0],
  { name, peers, file, load }: UploadMeasure,
): ReturnType<Measure> {
  console.error(`${name}: starting the servers`);
  const folder = join(settings.folder, name.replaceAll(/\W+/g, '-'));
  const installed = peers.filter(isInstalled);
  const servers = await Promise.all(installed.map((peer) => startUploadPeer(peer, folder)));
  for (const server of servers) await checkStored(server, file);
  const subjects = servers.map((server) => ({
    peer: server,
    load: load(server),
    // What one server left to be written later must not slow down the next one.
    settle: async () => void (await run('sync', ['-f', folder])),
  }));
  const rows = await measureInTurns(name, settings, subjects);
  await stopPeers(servers);
  // Gigabytes, which nothing needs any more.
  await rm(folder, { recursive: true });
  return { rows };
}

/** Uploads once, reads it back, and throws unless it is what was sent. */
async function checkStored(server: RunningUploadPeer, file: readonly Buffer[]): Promise<void> {
  const { name, url, headers } = server;
  const key = `${UPLOAD_PREFIX}probe`;
  const failure = await upload({ url, file, next: () => server.uploadOf(key) });
  if (failure !== undefined) throw new Error(`${name} answered an upload with ${failure}.`);
  const read = await fetch(new URL(server.pathOf(key), url), { headers });
  const found = await md5(read.body ?? []);
  const sent = await md5(file);
  if (!read.ok || found !== sent)
    throw new Error(`${name} gave ${read.status}, ${found} for ${sent}.`);
}

async function md5(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('md5');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
