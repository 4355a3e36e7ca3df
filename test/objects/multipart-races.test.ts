import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Error } from '../../server/s3/s3-error.ts';
import { createRandom, freshSeed, intBetween } from '../faults/random.ts';
import { isLongRun, runs } from '../support/long-runs.ts';
import { BUCKET, type ObjectServices, openObjectServices } from './object-services.ts';

/** One upload, several clients: what was acknowledged holds, and nothing is left over. */

const seed = freshSeed();
const random = createRandom(seed);
let services: ObjectServices;

beforeAll(async () => {
  services = await openObjectServices();
});

afterAll(() => services.close());

interface Outcome<T> {
  readonly value?: T;
  /** Of a refusal. */
  readonly code?: string;
}

/** Refused as S3 refuses, or done; anything else is thrown. */
async function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof S3Error) return { code: error.code };
    throw error;
  }
}

function isDone({ code }: Outcome<unknown>): boolean {
  return code === undefined;
}

/** Small ones lie in the store, large ones in files. */
function someBytes(): Buffer {
  return Buffer.alloc(intBetween(random, 0, 1) ? 10 : 70_000, String(random()));
}

/** Begins a little later, so that all of them are under way in some order or another. */
async function later<T>(work: () => Promise<T>): Promise<T> {
  for (let turns = intBetween(random, 0, 30); turns > 0; turns -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return work();
}

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

describe(`seed ${seed}`, { timeout: 60_000 + runs(0, 600_000) }, () => {
  it('completing, aborting and sending parts at once', async () => {
    const { begin, putPart, complete, uploads, read, objects } = services;
    const seen = { completed: 0, aborted: 0, replaced: 0 };
    for (let round = 0; round < runs(10, 1_000); round += 1) {
      const upload = await begin('raced');
      const [first, second, other] = [someBytes(), someBytes(), someBytes()];
      const part = await putPart(upload, 1, first);
      const [completed, again, aborted, replaced, added] = await Promise.all([
        outcomeOf(later(() => complete(upload, [part]))),
        outcomeOf(later(() => complete(upload, [part]))),
        outcomeOf(later(() => uploads.abort(upload, {}))),
        outcomeOf(later(() => putPart(upload, 1, second))),
        outcomeOf(later(() => putPart(upload, 2, other))),
      ]);
      const where = `round ${round}`;
      for (const outcome of [completed, again]) {
        if (!isDone(outcome))
          expect(['NoSuchUpload', 'InvalidPart'], where).toContain(outcome.code);
      }
      for (const outcome of [aborted, replaced, added]) {
        if (!isDone(outcome)) expect([where, outcome.code]).toEqual([where, 'NoSuchUpload']);
      }
      const isCompleted = isDone(completed) || isDone(again);
      // One of them ended it; both cannot be told that they did.
      expect([where, isCompleted, isDone(aborted)]).toEqual([where, isCompleted, !isCompleted]);
      expect((await read('raced'))?.equals(first), where).toBe(isCompleted ? true : undefined);
      if (isDone(replaced)) expect([where, replaced.value?.etag]).toEqual([where, md5(second)]);
      if (isCompleted) await objects.remove(BUCKET, 'raced', {});
      seen.completed += Number(isCompleted);
      seen.aborted += Number(isDone(aborted));
      seen.replaced += Number(isDone(replaced));
    }
    await services.expectTidy();
    expect(await services.files()).toEqual([]);
    expect(await services.keys('part/')).toEqual([]);
    // A few rounds may well end all in one way.
    if (isLongRun) for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
  });

  it('parts of one number: the last acknowledged one is there, its bytes alone', async () => {
    const { begin, putPart, complete, uploads, read } = services;
    for (let round = 0; round < runs(4, 300); round += 1) {
      const upload = await begin('last one');
      const bodies = Array.from({ length: 5 }, someBytes);
      await Promise.all(bodies.map((body) => later(() => putPart(upload, 1, body))));
      const parts = await uploads.parts(upload, 0, 10);
      expect(parts).toHaveLength(1);
      await complete(upload, parts);
      const bytes = await read('last one');
      expect(bodies.some((body) => bytes?.equals(body))).toBe(true);
      expect(md5(bytes ?? Buffer.alloc(0))).toBe(parts[0]?.etag);
    }
    await services.expectTidy();
    expect(await services.keys('part/')).toHaveLength(1);
  });

  it('completions, uploads in one piece and deletions of one key', async () => {
    const { begin, putPart, complete, put, read, objects } = services;
    const sent = new Set<string>();
    for (let round = 0; round < runs(6, 500); round += 1) {
      const bodies = Array.from({ length: 4 }, someBytes);
      const [a, b, c, d] = bodies;
      if (!a || !b || !c || !d) throw new Error('There are four.');
      for (const body of bodies) sent.add(md5(body));
      const [one, two] = [await begin('fought for'), await begin('fought for')];
      // What the object does not have has to go as well.
      const parts = [await putPart(one, 1, a), await putPart(two, 2, b)];
      await putPart(one, 7, someBytes());
      const readers: Promise<Buffer | undefined>[] = [];
      await Promise.all([
        later(() => complete(one, parts.slice(0, 1))),
        later(() => complete(two, parts.slice(1))),
        later(() => put('fought for', c)),
        later(() => put('fought for', d)),
        later(() => objects.remove(BUCKET, 'fought for', {})),
        ...Array.from({ length: 6 }, () =>
          later(async () => void readers.push(read('fought for'))),
        ),
      ]);
      for (const bytes of await Promise.all(readers)) {
        // Undefined: there is none now, or it went between finding and opening it.
        if (bytes) expect(sent.has(md5(bytes))).toBe(true);
      }
      const again = await outcomeOf(complete(one, parts.slice(0, 1)));
      expect([undefined, 'NoSuchUpload']).toContain(again.code);
    }
    await services.expectTidy();
    const left = await objects.find(BUCKET, 'fought for');
    if (left) await objects.remove(BUCKET, 'fought for', {});
    await services.expectTidy();
  });
});
