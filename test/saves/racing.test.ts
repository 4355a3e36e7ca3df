import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRandom, intBetween } from '../faults/random.ts';
import { sendRequest } from '../support/http-request.ts';
import { runs } from '../support/long-runs.ts';
import { LARGE, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** Many clients at one slot. */

const CLIENTS = 50;
const SAVES_EACH = runs(1, 3);
const BUCKET = 'saves';
const path = `/api/saves/${BUCKET}/${SLOT}`;

let server: SaveServer;

beforeAll(async () => {
  server = await startSaveServer();
  await server.makeSaves(BUCKET);
});

afterAll(() => server.stop());

interface Form {
  readonly version: number;
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
}

it(
  'each client wins in the end: numbers are consecutive, and what was acknowledged is there',
  async () => {
    const won = new Map<number, { key: string; file: Buffer }>();
    let lost = 0;
    const client = async (name: number): Promise<void> => {
      const random = createRandom(name);
      for (let left = SAVES_EACH; left > 0; ) {
        const handed = await sendRequest(server.url, { method: 'POST', path });
        expect(handed.status, handed.text).toBe(200);
        const { version, key, fields } = handed.json as Form;
        const size = name % 10 === 0 ? LARGE : intBetween(random, 10, 900);
        const file = Buffer.alloc(size, `${name} ${left} `);
        const pairs = Object.entries(fields);
        const { status, text } = await server.upload({ path: `/${BUCKET}`, pairs, file });
        expect([204, 403], text).toContain(status);
        if (status === 403) {
          lost += 1;
          continue;
        }
        expect(won.has(version)).toBe(false);
        won.set(version, { key, file });
        left -= 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)));

    const numbers = Array.from({ length: CLIENTS * SAVES_EACH }, (_, at) => at + 1);
    expect([...won.keys()].sort((a, b) => a - b)).toEqual(numbers);
    expect(await server.versions(BUCKET)).toEqual(numbers);
    for (const { key, file } of won.values()) {
      const { status, bytes } = await server.read(BUCKET, key);
      expect([key, status, bytes.equals(file)]).toEqual([key, 200, true]);
    }
    expect(lost).toBeGreaterThan(0);
    // Of those that lost nothing is left.
    const large = [...won.values()].filter(({ file }) => file.length >= LARGE);
    await expect.poll(async () => (await server.blobs()).length).toBe(large.length);
  },
  runs(60_000, 600_000),
);
