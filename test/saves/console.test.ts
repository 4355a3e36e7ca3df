import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRandom, freshSeed } from '../faults/random.ts';
import { runs } from '../support/long-runs.ts';
import { ADMIN_KEY, md5Hex } from '../support/s3-server.ts';
import { type ConsoleOptions, createConsole } from './console.ts';
import { startLossyProxy } from './lossy-proxy.ts';
import { keyOf, LARGE, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** A console saves over a connection that breaks off more often than not. */

const seed = Number(process.env['KEYSTOW_SEED'] ?? freshSeed());

let server: SaveServer;

beforeAll(async () => {
  server = await startSaveServer();
});

afterAll(() => server.stop());

const stacks: ConsoleOptions['http'][] = ['1.0 without a Host', '1.0', '1.1'];
/** The oldest stack saves them all; the long version lets the others, too. */
const versionsOf = (http: ConsoleOptions['http']): number =>
  http === '1.0 without a Host' ? 100 : runs(20, 100);
const rounds = stacks.flatMap((http) =>
  Array.from({ length: runs(1, 5) }, (_, at): [ConsoleOptions['http'], number] => [
    http,
    seed + at,
  ]),
);

it.each(rounds)(
  'saves by HTTP/%s, version after version, and reads them back (seed %i)',
  async (http, from) => {
    const versions = versionsOf(http);
    const bucket = `console-${stacks.indexOf(http)}-${from}`;
    await server.makeSaves(bucket);
    const filesBefore = (await server.blobs()).length;
    const proxy = await startLossyProxy(server.url, createRandom(from));
    const console = createConsole({ url: proxy.url, pair: ADMIN_KEY, bucket, http });
    const files = new Map<number, Buffer>();
    for (let version = 1; version <= versions; version += 1) {
      const file = randomBytes(version % 10 === 0 ? LARGE : 454);
      const answer = await console.save(keyOf(version), file);
      expect([answer.status, answer.body.toString()]).toEqual([204, '']);
      expect(answer.headers['etag']).toBe(`"${md5Hex(file)}"`);
      files.set(version, file);
    }
    for (const version of [versions, 1, 10, 17, versions - 1]) {
      const answer = await console.load(keyOf(version));
      expect([answer.status, answer.headers['etag']]).toEqual([
        200,
        `"${md5Hex(files.get(version) ?? '')}"`,
      ]);
      expect(answer.body.equals(files.get(version) ?? Buffer.alloc(0))).toBe(true);
    }
    for (const version of [1, versions + 2]) {
      const refused = await console.save(keyOf(version), randomBytes(454));
      expect([refused.status, refused.body.toString()]).toEqual([
        403,
        expect.stringContaining('<Code>AccessDenied</Code>'),
      ]);
    }
    expect(console.lost).toBeGreaterThan(versions / 10);
    expect(proxy.cuts.up + proxy.cuts.down).toBeGreaterThan(versions / 10);
    await proxy.close();

    expect(await server.versions(bucket, SLOT)).toEqual([...files.keys()]);
    // No file is left of uploads that broke off.
    await expect.poll(async () => (await server.blobs()).length).toBe(filesBefore + versions / 10);
    expect(server.log()).not.toMatch(/"level":(50|60)/);
  },
);
