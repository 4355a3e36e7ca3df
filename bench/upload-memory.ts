import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { type ProcessMemory, peakWhile, settledMemory } from './memory-of-process.ts';
import { keystow } from './peers/keystow.ts';
import { stopPeers } from './peers/peer.ts';
import { runInTemporaryFolder } from './processes.ts';
import { BUCKET, formEnd, formHeaders, formStart } from './signed-form.ts';

// How much memory Keystow takes to receive large uploads, several at once. See README.md.

const AIM_MIB = 96;
const CHUNK = Buffer.alloc(256 * 1_024, 'The bytes of an upload. ');
const MOST_MIB = 5 * 1_024;
const MOST_UPLOADS = 64;

const parts: readonly [name: string, of: (memory: ProcessMemory) => number][] = [
  ['RSS', ({ total }) => total],
  ['anonymous', ({ own }) => own],
  ['files', ({ total, own }) => total - own],
];

await runInTemporaryFolder(async (folder) => {
  const { values: flags } = parseArgs({
    options: {
      mib: { type: 'string', default: '1024' },
      uploads: { type: 'string', default: '8' },
    },
  });
  const size = parseNumber('--mib', flags.mib, MOST_MIB) * 2 ** 20;
  const uploads = parseNumber('--uploads', flags.uploads, MOST_UPLOADS);
  const server = await keystow.start(folder, []);
  const [{ pid } = { pid: 0 }] = server.processes;
  // What a first form loads for good is no part of what uploads take.
  await upload(server.url, 'warm-up', CHUNK.length);

  const idle = await settledMemory(pid);
  const start = performance.now();
  const work = Promise.all(
    Array.from({ length: uploads }, (_, index) => upload(server.url, `upload-${index}`, size)),
  );
  const { peak } = await peakWhile(pid, work);
  const seconds = (performance.now() - start) / 1_000;
  const after = await settledMemory(pid);
  await stopPeers([server]);

  const total = (uploads * size) / 2 ** 20;
  console.log(
    `${uploads} × ${size / 2 ** 20} MiB in ${seconds.toFixed(1)} s, ${(total / seconds).toFixed(0)} MiB/s`,
  );
  console.log('MiB            idle    peak  growth   after');
  for (const [name, part] of parts) {
    const values = [part(idle), part(peak), part(peak) - part(idle), part(after)];
    console.log(name.padEnd(11) + values.map((value) => value.toFixed(1).padStart(8)).join(''));
  }
  const growth = peak.total - idle.total;
  console.log(`growth of RSS: ${growth.toFixed(1)} MiB, to be below ${AIM_MIB}`);
});

/** Sends one form and throws unless it is stored. */
async function upload(url: string, key: string, size: number): Promise<void> {
  const start = formStart(key);
  const sent = request(new URL(`/${BUCKET}`, url), {
    method: 'POST',
    headers: { ...formHeaders, 'content-length': start.length + size + formEnd.length },
  });
  const answered = once(sent, 'response');
  const writing = (async () => {
    sent.write(start);
    for (let left = size; left > 0; left -= CHUNK.length) {
      if (!sent.write(CHUNK.subarray(0, Math.min(left, CHUNK.length)))) await once(sent, 'drain');
    }
    sent.end(formEnd);
  })();
  const [response]: IncomingMessage[] = await answered;
  if (response?.statusCode !== 204) {
    throw new Error(`${key}: ${response?.statusCode} ${response && (await text(response))}`);
  }
  response.resume();
  await writing;
}

function parseNumber(flag: string, value: string, most: number): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > most) {
    throw new Error(`Give ${flag} a whole number from 1 to ${most}.`);
  }
  return number;
}
