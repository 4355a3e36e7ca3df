import { setTimeout as pause } from 'node:timers/promises';
import { intBetween, pick, type Random } from '../faults/random.ts';
import { markedBytes, markOf } from './marked-bytes.ts';
import { createNodeClient, type NodeAnswer, type NodeClient } from './node-client.ts';
import { expectedMarks, type Outcome, type Write, type WriteLedger } from './write-ledger.ts';

/** What clients do with several nodes, and how they write down what they are told. */

export const SAVES_BUCKET = 'saves';
export const OBJECTS_BUCKET = 'uploads';
export const SAVES_PREFIX = 'game';
/** Documents that all clients add members to, and the slot that all save to. */
export const TALLIES = ['all/1', 'all/2'] as const;
export const SHARED_SLOT = '00000000000';
/** Clients that want to create the same key. */
const CREATORS = 4;
const OWN_DOCUMENTS = 3;
/** What lies in the database, and what in the blob store. */
const SAVE_SIZES = [454, 454, 70_000] as const;
const OBJECT_SIZES = [65_537, 120_000, 300_000] as const;
/** Sooner than Retry-After asks, for more of the time that matters. */
const BACK_OFF_MS = 50;

export interface Workload {
  readonly ledger: WriteLedger;
  isOver(): boolean;
  /** Counts what all clients have tried to create. */
  creates: number;
}

export interface Lane {
  /** A number, from 1 on. */
  readonly client: number;
  readonly url: string;
  readonly random: Random;
}

export function documentPath(key: string): string {
  return `/data/${key}`;
}

export function savePath(slot: string, version: number): string {
  return `/${SAVES_BUCKET}/${SAVES_PREFIX}/ds/1/data/${slot}-${String(version).padStart(5, '0')}`;
}

/** One client, one request at a time, until the workload is over. */
export async function runLane({ client, url, random }: Lane, work: Workload): Promise<void> {
  const { ledger } = work;
  const connection = createNodeClient(url);
  const own = new Map<string, Write[]>();
  const slot = String(client).padStart(11, '0');
  let marks = 0;
  /** The save that is to be sent until it is acknowledged. */
  let save = { version: 1, mark: newMark(pick(random, SAVE_SIZES)) };

  function newMark(size?: number): string {
    marks += 1;
    return [`c${client}`, marks, ...(size === undefined ? [] : [size])].join('.');
  }

  function record(write: Write): Write {
    ledger.add(write);
    if (write.kind === 'replace' || write.kind === 'object') {
      own.set(write.key, [...(own.get(write.key) ?? []), write]);
    }
    return write;
  }

  /** Undefined where the answer is none that says yes or no. */
  async function ask(
    method: string,
    path: string,
    expected: readonly number[],
    body?: string | Buffer,
  ): Promise<NodeAnswer | undefined> {
    const answer = await connection.send(method, path, body);
    if (answer && expected.includes(answer.status)) return answer;
    if (answer?.status === 503) {
      ledger.countUnavailable(client);
      // Who may have been heard is told to look, not to repeat.
      const isTold = answer.retryAfter !== undefined || /look whether/.test(String(answer.body));
      if (!isTold) ledger.note(`${method} ${path}: 503, no Retry-After`);
    } else if (answer) {
      ledger.note(`${method} ${path}: ${answer.status} ${answer.body}`.slice(0, 300));
    }
    await pause(BACK_OFF_MS);
    return undefined;
  }

  async function writeDocument(
    kind: 'create' | 'replace' | 'add',
    method: string,
    key: string,
    refusal?: number,
  ): Promise<Outcome> {
    const mark = newMark();
    const expected = [200, 201, ...(refusal === undefined ? [] : [refusal])];
    const answer = await ask(method, documentPath(key), expected, JSON.stringify({ [mark]: true }));
    const outcome = outcomeOf(answer, refusal);
    const sequence = outcome === 'acknowledged' ? sequenceOf(answer?.etag) : undefined;
    record({ kind, key, mark, outcome, sequence });
    return outcome;
  }

  async function create(): Promise<void> {
    const key = `once/${Math.floor(work.creates / CREATORS)}`;
    work.creates += 1;
    await writeDocument('create', 'POST', key, 406);
  }

  async function replace(): Promise<void> {
    const key = `own/${client}/${intBetween(random, 1, OWN_DOCUMENTS)}`;
    const before = own.get(key) ?? [];
    const isThere = before.some(({ outcome }) => outcome !== 'uncertain');
    if (isThere) await writeDocument('replace', 'PUT', key);
    else if (
      (await writeDocument('replace', 'POST', key, 406)) === 'refused' &&
      before.length === 0
    ) {
      ledger.note(`${key}: refused as there, but nobody has written it`);
    }
  }

  /** Whichever node answers has what was acknowledged by any. */
  async function read(): Promise<void> {
    const kind = pick(random, ['replace', 'object'] as const);
    const keys = [...own.keys()].filter((key) => own.get(key)?.[0]?.kind === kind);
    const key = keys[intBetween(random, 0, keys.length - 1)];
    if (key === undefined) return;
    const path = kind === 'replace' ? documentPath(key) : `/${OBJECTS_BUCKET}/${key}`;
    const answer = await ask('GET', path, [200, 404]);
    if (!answer) return;
    const expected = expectedMarks(own.get(key) ?? []);
    const found = kind === 'replace' ? marksIn(answer.body)[0] : markOf(answer.body);
    const mark = answer.status === 404 ? undefined : found;
    if (!expected.has(mark)) {
      ledger.note(`${key}: read as ${mark} instead of ${[...expected].join(' or ')}`);
    }
  }

  /** As a console does: the same again until it is answered. */
  async function saveOwn(): Promise<void> {
    const { version, mark } = save;
    const answer = await ask('PUT', savePath(slot, version), [200], markedBytes(mark));
    record({ kind: 'save', key: slot, mark, outcome: outcomeOf(answer), version });
    if (answer) save = { version: version + 1, mark: newMark(pick(random, SAVE_SIZES)) };
  }

  async function saveShared(): Promise<void> {
    const listed = await ask('GET', `/api/saves/${SAVES_BUCKET}/${SHARED_SLOT}`, [200, 404]);
    if (!listed) return;
    const version = listed.status === 404 ? 1 : versionsIn(listed.body).length + 1;
    const mark = newMark(454);
    const path = savePath(SHARED_SLOT, version);
    const answer = await ask('PUT', path, [200, 403], markedBytes(mark));
    const outcome = outcomeOf(answer, 403);
    record({ kind: 'save', key: SHARED_SLOT, mark, outcome, version });
  }

  async function writeObject(): Promise<void> {
    const key = `object-${client}`;
    const mark = newMark(pick(random, OBJECT_SIZES));
    const answer = await ask('PUT', `/${OBJECTS_BUCKET}/${key}`, [200], markedBytes(mark));
    record({ kind: 'object', key, mark, outcome: outcomeOf(answer) });
  }

  const add = () => writeDocument('add', 'PATCH', pick(random, TALLIES));
  const steps = [create, create, replace, replace, add, read, saveOwn, saveShared, writeObject];
  try {
    while (!work.isOver()) await steps[intBetween(random, 0, steps.length - 1)]?.();
  } finally {
    connection.close();
  }
}

/** Makes what the clients share. */
export async function prepareWorkload(url: string): Promise<void> {
  const client: NodeClient = createNodeClient(url);
  const settings = JSON.stringify({ saves: true, savePrefix: SAVES_PREFIX });
  const answers = [
    await client.send('PUT', `/api/buckets/${SAVES_BUCKET}`, settings),
    ...(await Promise.all(TALLIES.map((key) => client.send('POST', documentPath(key), '{}')))),
  ];
  client.close();
  for (const answer of answers) {
    if (answer?.status !== 201) throw new Error(`Preparing was answered with ${answer?.status}.`);
  }
}

export function marksIn(text: Buffer): string[] {
  return Object.keys(JSON.parse(text.toString()));
}

export function versionsIn(text: Buffer): number[] {
  const listed: { version: number }[] = JSON.parse(text.toString());
  return listed.map(({ version }) => version);
}

function outcomeOf(answer: NodeAnswer | undefined, refusal?: number): Outcome {
  if (!answer) return 'uncertain';
  return answer.status === refusal ? 'refused' : 'acknowledged';
}

function sequenceOf(etag: string | undefined): number {
  return Number(etag?.slice(1, -1));
}
