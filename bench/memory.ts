import { parseArgs } from 'node:util';
import { documentKeys } from './documents.ts';
import { fill } from './load.ts';
import { peakWhile, settledMemory } from './memory-of-process.ts';
import { type Reading, readKeys } from './memory-readings.ts';
import { keystow } from './peers/keystow.ts';
import { stopPeers } from './peers/peer.ts';
import { runInTemporaryFolder } from './processes.ts';

// How much memory Keystow takes to list and to export a large store. See README.md.

const AIM_MIB = 64;
const BATCH_KEYS = 20_000;
const SLOW_SECONDS = 8;
const FEWEST_KEYS = 1_000;
const MOST_KEYS = 5_000_000;

await runInTemporaryFolder(async (folder) => {
  const { values: flags } = parseArgs({ options: { keys: { type: 'string', default: '300000' } } });
  const count = Number(flags.keys);
  if (!Number.isInteger(count) || count < FEWEST_KEYS || count > MOST_KEYS) {
    throw new Error(`Give --keys a whole number from ${FEWEST_KEYS} to ${MOST_KEYS}.`);
  }
  const keys = documentKeys('document', count);
  const imported = await keystow.start(folder, []);
  for (let start = 0; start < count; start += BATCH_KEYS) {
    await fill(imported, keys.slice(start, start + BATCH_KEYS), imported.create);
    console.error(`imported ${Math.min(start + BATCH_KEYS, count)} of ${count} documents`);
  }
  console.log('phase, reading: baseline → peak MiB, rise of RSS and of the process’s own part');
  const rises = await readAll('after the import', imported, keys);
  await stopPeers([imported]);

  // A process that has just imported has room left in its heap; a fresh one shows the whole rise.
  const restarted = await keystow.start(folder, []);
  rises.push(...(await readAll('after a restart', restarted, keys)));
  await stopPeers([restarted]);
  console.log(`highest rise of RSS: ${Math.max(...rises).toFixed(1)} MiB, to be below ${AIM_MIB}`);
});

type Server = Awaited<ReturnType<typeof keystow.start>>;

/** Does every reading, prints what it took, and returns the rises of RSS in MiB. */
async function readAll(phase: string, server: Server, keys: readonly string[]): Promise<number[]> {
  const rises: number[] = [];
  for (const format of ['list', 'ndjson'] as const) {
    const quick = await measureReading(phase, server, keys, { format });
    const bytesPerSecond = quick.bytes / SLOW_SECONDS;
    const slow = await measureReading(phase, server, keys, { format, bytesPerSecond });
    rises.push(quick.rise, slow.rise);
  }
  return rises;
}

async function measureReading(
  phase: string,
  server: Server,
  keys: readonly string[],
  reading: Reading,
): Promise<{ rise: number; bytes: number }> {
  const [{ pid } = { pid: 0 }] = server.processes;
  const baseline = await settledMemory(pid);
  const { result: bytes, peak } = await peakWhile(pid, readKeys(server, reading, keys));
  const rise = peak.total - baseline.total;
  console.log(
    `${phase}, ${reading.format} to a ${reading.bytesPerSecond === undefined ? 'quick' : 'slow'}` +
      ` client: ${mib(baseline.total)} → ${mib(peak.total)},` +
      ` rise ${mib(rise)}, own ${mib(peak.own - baseline.own)} (${mib(bytes / 2 ** 20)} MiB read)`,
  );
  return { rise, bytes };
}

function mib(value: number): string {
  return value.toFixed(1);
}
