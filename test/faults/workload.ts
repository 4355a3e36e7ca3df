import type { Client } from './client.ts';
import type { Ledger } from './ledger.ts';
import { intBetween, type Random } from './random.ts';
import { pathOf } from './survey.ts';
import type { Tally } from './tally.ts';
import { planWrite } from './write-plan.ts';

/** One writer: a write at a time, each sent after the answer to the one before. */
export interface Lane {
  /** Its documents are below this name, and its markers begin with it. */
  readonly name: string;
  readonly client: Client;
  readonly random: Random;
}

export interface Workload {
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** Changes with each round, so that no marker is used twice. */
  readonly round: number;
  readonly largeShare: number;
  onAcknowledged(): void;
  isOver(): boolean;
}

const KEYS_PER_LANE = 8;
/** The share of writes that go to the document of all lanes. */
const TALLY_SHARE = 0.1;

/** Writes until the workload is over, or the server gives no answer any more. */
export async function runLane(lane: Lane, workload: Workload): Promise<void> {
  for (let count = 0; !workload.isOver(); count += 1) {
    const marker = `${lane.name}-${workload.round}-${count}`;
    const isAnswered =
      lane.random() < TALLY_SHARE
        ? await writeTally(lane, workload, marker)
        : await writeDocument(lane, workload, marker);
    if (!isAnswered) return;
  }
}

async function writeDocument(lane: Lane, workload: Workload, marker: string): Promise<boolean> {
  const { ledger, largeShare } = workload;
  const key = `${lane.name}/${intBetween(lane.random, 1, KEYS_PER_LANE)}`;
  const plan = planWrite(lane.random, key, ledger.settled(key), { marker, largeShare });
  const write = ledger.begin(key, plan.text);
  const answer = await lane.client.send(plan.request);
  if (!answer) return false;
  if (answer.status !== plan.status) {
    ledger.reject(
      write,
      `${plan.request.method} was answered with ${answer.status} ${answer.text}`,
    );
    return true;
  }
  ledger.acknowledge(write, answer.etag, plan.text === null ? undefined : answer.text);
  workload.onAcknowledged();
  return true;
}

async function writeTally(lane: Lane, workload: Workload, marker: string): Promise<boolean> {
  const { ledger, tally } = workload;
  tally.begin(marker);
  const answer = await lane.client.send({
    method: 'PATCH',
    path: pathOf(tally.key),
    body: `{"${marker}":true}`,
  });
  if (!answer) return false;
  if (answer.status !== 200 || answer.etag === undefined) {
    ledger.note(`${tally.key}: PATCH was answered with ${answer.status} ${answer.text}`);
    return true;
  }
  tally.acknowledge(marker, answer.etag);
  ledger.count(answer.etag);
  workload.onAcknowledged();
  return true;
}
