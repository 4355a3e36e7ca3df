import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runs } from '../support/long-runs.ts';
import { keyOf, LARGE, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** One slot under random uploads, repeats, deletions, restorations and settings, against a plain model. */

let server: SaveServer;
let made = 0;

beforeAll(async () => {
  server = await startSaveServer();
});

afterAll(() => server.stop());

/** What a bucket with saves says of one slot. */
class Model {
  readonly kept = new Map<number, Buffer>();
  latest: number | undefined;
  keep = Number.POSITIVE_INFINITY;

  upload(version: number, bytes: Buffer): number {
    if (version > 99_999) return 403;
    if (version === this.latest) return this.kept.get(version)?.equals(bytes) ? 204 : 403;
    if (this.latest !== undefined && version !== this.latest + 1) return 403;
    this.store(version, bytes);
    return 204;
  }

  restore(version: number): number {
    const bytes = this.kept.get(version);
    if (!bytes || this.latest === undefined) return 404;
    if (this.latest === 99_999) return 409;
    this.store(this.latest + 1, bytes);
    return 201;
  }

  private store(version: number, bytes: Buffer): void {
    this.kept.set(version, bytes);
    this.latest = version;
    const numbers = [...this.kept.keys()].sort((a, b) => b - a);
    for (const old of numbers.slice(this.keep)) this.kept.delete(old);
  }
}

const content = fc
  .record({ fill: fc.constantFrom('a', 'b'), size: fc.constantFrom(0, 1, 40, LARGE) })
  .map(({ fill, size }) => Buffer.alloc(size, fill));
/** Mostly around the latest version. */
const distance = fc.constantFrom(1, 1, 1, 1, 1, 0, 0, -1, -2, 2, 5);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('upload' as const), distance, bytes: content }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), distance }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restore' as const), distance }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('keep' as const),
      keepVersions: fc.constantFrom(null, 1, 2, 4),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function apply(bucket: string, model: Model, start: number, taken: Step): Promise<void> {
  const around = (by: number): number => Math.max(0, (model.latest ?? start - 1) + by);
  switch (taken.do) {
    case 'upload': {
      const version = around(taken.distance);
      const { status, text } = await server.save(bucket, keyOf(version), taken.bytes);
      expect(status, text).toBe(model.upload(version, taken.bytes));
      return;
    }
    case 'repeat': {
      const bytes = model.kept.get(model.latest ?? -1);
      if (!bytes || model.latest === undefined) return;
      const { status, text } = await server.save(bucket, keyOf(model.latest), bytes);
      expect(status, text).toBe(204);
      return;
    }
    case 'delete': {
      const version = around(taken.distance);
      const { status } = await server.admin('DELETE', `/${bucket}/${keyOf(version)}`);
      expect(status).toBe(204);
      model.kept.delete(version);
      return;
    }
    case 'restore': {
      const version = Math.min(99_999, around(taken.distance));
      const path = `/api/saves/${bucket}/${SLOT}/restore`;
      const { status, text } = await server.admin('POST', path, { version });
      expect(status, text).toBe(model.restore(version));
      return;
    }
    case 'keep':
      await server.makeSaves(bucket, { keepVersions: taken.keepVersions });
      model.keep = taken.keepVersions ?? Number.POSITIVE_INFINITY;
  }
}

async function expectSame(bucket: string, model: Model): Promise<void> {
  const kept = [...model.kept].sort(([a], [b]) => a - b);
  if (model.latest !== undefined) {
    expect(await server.versions(bucket)).toEqual(kept.map(([version]) => version));
  }
  for (const [version, bytes] of kept) {
    const found = await server.read(bucket, keyOf(version));
    expect(isDeepStrictEqual(found.bytes, bytes)).toBe(true);
  }
  const { json } = await server.admin('GET', `/api/saves/${bucket}`);
  const latest = (json as { latest: number }[]).map((slot) => slot.latest);
  expect(latest).toEqual(model.latest === undefined ? [] : [model.latest]);
  const path = `/api/saves/${bucket}/${SLOT}/latest`;
  const hasLatest = model.kept.has(model.latest ?? -1);
  expect((await server.admin('GET', path)).status).toBe(hasLatest ? 200 : 404);
}

it(
  'does what the model does',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1, 7, 99_996),
        fc.array(step, { minLength: 5, maxLength: 20 }),
        async (start, steps) => {
          made += 1;
          const bucket = `model-${made}`;
          await server.makeSaves(bucket);
          const model = new Model();
          for (const taken of steps) await apply(bucket, model, start, taken);
          await expectSame(bucket, model);
          for (const version of model.kept.keys()) {
            await server.admin('DELETE', `/${bucket}/${keyOf(version)}`);
          }
          expect((await server.admin('DELETE', `/api/buckets/${bucket}`)).status).toBe(204);
        },
      ),
      { numRuns: runs(10, 300) },
    );
    await expect.poll(() => server.blobs()).toEqual([]);
  },
  runs(60_000, 600_000),
);
