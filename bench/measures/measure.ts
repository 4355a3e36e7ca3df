import { setTimeout as delay } from 'node:timers/promises';
import type { Cost } from '../cost.ts';
import type { Round } from '../load.ts';
import { readMemory, readPeak } from '../memory-of-process.ts';
import type { Peer, RunningServer } from '../peers/peer.ts';
import { cpuSeconds, processTree } from '../process-tree.ts';

/** What a run of the bench was asked for. */
export interface BenchSettings {
  /** Temporary folder; each measure makes its own folders in it. */
  readonly folder: string;
  /** Length of one round on one server. */
  readonly seconds: number;
  /** Rounds on each server; the table shows their median. */
  readonly rounds: number;
  /** Documents of the large store. */
  readonly keys: number;
  /** Keystow and the peers that are installed. */
  readonly peers: readonly Peer[];
}

/** One server under one measure. */
export interface Row {
  readonly measure: string;
  readonly server: string;
  readonly rounds: readonly Round[];
  /** CPU time of its processes for one 2xx answer, over all rounds, in microseconds. */
  readonly microseconds: number | undefined;
  /** Resident memory of its processes after the measure, in MiB. */
  readonly residentMib: number | undefined;
  /** The most that was resident since its processes started, in MiB. */
  readonly peakMib: number | undefined;
  /** Where the time of all rounds went, of the measures that look for it. */
  readonly cost?: Cost;
}

/** A quantity that is no rate, measured once or several times. */
export interface Figure {
  readonly what: string;
  readonly unit: 'ms' | 'MiB';
  readonly values: readonly number[];
}

/** What measures found. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly figures?: readonly Figure[];
}

/** A measure starts the servers that it needs, loads them and stops them. */
export type Measure = (settings: BenchSettings) => Promise<Findings>;

/** A running server under load, and how to load it for a time. */
export interface Subject {
  readonly peer: RunningServer;
  load(seconds: number): Promise<Round>;
  /** Sends one request and checks its answer; by then what the load left behind is done. */
  settle(): Promise<void>;
}

const LONGEST_WARM_UP_SECONDS = 1;
const QUIET_MS = 100;

/**
 * Loads each server in turn, as often as there are rounds, after one shorter turn that does not
 * count. Taking turns spreads the machine's noise over all of them. Throws when a server ends.
 */
export async function measureInTurns(
  measure: string,
  settings: BenchSettings,
  subjects: readonly Subject[],
): Promise<Row[]> {
  const turns = new Map<string, Turn[]>(subjects.map(({ peer }) => [peer.name, []]));
  const warmUpSeconds = Math.min(LONGEST_WARM_UP_SECONDS, settings.seconds / 4);
  for (const subject of subjects) await takeTurn(subject, warmUpSeconds);
  for (let round = 1; round <= settings.rounds; round += 1) {
    console.error(`${measure}: round ${round} of ${settings.rounds}`);
    for (const subject of subjects) {
      turns.get(subject.peer.name)?.push(await takeTurn(subject, settings.seconds));
    }
  }
  for (const { peer } of subjects) await checkAlive(peer);
  return Promise.all(
    subjects.map(async ({ peer }) => ({
      measure,
      server: peer.name,
      rounds: (turns.get(peer.name) ?? []).map(({ round }) => round),
      microseconds: microsecondsOf(turns.get(peer.name) ?? []),
      residentMib: await sumOver(peer, async (pid) => (await readMemory(pid))?.total),
      peakMib: await sumOver(peer, readPeak),
    })),
  );
}

interface Turn {
  readonly round: Round;
  /** CPU seconds of the server's processes; undefined where there is no `/proc`. */
  readonly cpu: number | undefined;
}

async function takeTurn(subject: Subject, seconds: number): Promise<Turn> {
  const pids = subject.peer.processes.map(({ pid }) => pid);
  const before = await cpuSeconds(pids);
  const round = await subject.load(seconds);
  const after = await cpuSeconds(pids);
  await checkAlive(subject.peer);
  await subject.settle();
  await delay(QUIET_MS);
  return { round, cpu: before === undefined || after === undefined ? undefined : after - before };
}

function microsecondsOf(turns: readonly Turn[]): number | undefined {
  const cpu = turns.flatMap((turn) => turn.cpu ?? []);
  if (cpu.length < turns.length) return undefined;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return (sum(cpu) / sum(turns.map(({ round }) => round.answers))) * 1e6;
}

async function checkAlive(peer: RunningServer): Promise<void> {
  for (const server of peer.processes) await server.checkAlive();
}

/** The sum over the processes of a server and all below them; undefined where it is not known. */
async function sumOver(
  { processes }: RunningServer,
  read: (pid: number) => Promise<number | undefined>,
): Promise<number | undefined> {
  const pids = await processTree(processes.map(({ pid }) => pid));
  if (pids === undefined) return undefined;
  const values = await Promise.all(pids.map(read));
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return undefined;
  return known.reduce((sum, value) => sum + value, 0);
}
