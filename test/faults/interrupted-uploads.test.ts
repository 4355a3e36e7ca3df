import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { blobFiles } from './blob-files.ts';
import { breakOff, departures } from './broken-upload.ts';
import { openDescriptors } from './open-descriptors.ts';
import { createRandom, freshSeed, intBetween, pick, type Random } from './random.ts';
import { untilServer } from './until.ts';
import { createUploadClient, md5Of } from './upload-client.ts';
import { ACCESS_KEY, uploadForm } from './upload-form.ts';

/** Clients that go away in the middle of a form: nothing of it stays, wherever it breaks off. */

const UPLOADS = 200;
const AT_ONCE = 8;
const INLINE_BYTES = 65_536;
const WHOLE_BYTES = 200_000;
const seed = Number(process.env['KEYSTOW_KILL_SEED'] ?? freshSeed());

let server: ServerProcess;
beforeAll(async () => {
  server = await startProcess({ env: ACCESS_KEY });
});
afterAll(() => server.stop());

it(`leaves nothing of ${UPLOADS} uploads that break off (seed ${seed})`, async () => {
  const random = createRandom(seed);
  const look = () => openDescriptors(server.child.pid ?? 0);
  const idleSockets = look()['socket'];
  const client = createUploadClient(server.url, 2);
  const kept = [randomBytes(1_000), randomBytes(INLINE_BYTES + 1), randomBytes(3_000_000)];
  for (const [index, bytes] of kept.entries()) {
    expect(await client.upload(`kept/${index}`, bytes)).toMatchObject({ status: 201 });
  }
  client.close();
  const keptFiles = blobFiles(server.dataDir);
  expect(keptFiles).toHaveLength(2);
  const before = await untilServer(server.url, look, (seen) => seen['socket'] === idleSockets);

  const broken = Array.from({ length: UPLOADS }, (_, index) => planBreak(random, index));
  const waiting = [...broken];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { key, size, departure, share } = next;
      const form = uploadForm(key, randomBytes(size));
      const cut = share(form.body.length);
      const answer = await breakOff(server.url, form, cut, departure);
      const at = `${key}: ${size} bytes, ${cut} of ${form.body.length} of its body sent, ${departure}`;
      expect(answer, at).not.toMatch(/^HTTP\/1\.1 [23]/);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));

  // Each request ends with a line of log, whoever ended it.
  await untilServer(server.url, countUploads, (seen) => seen >= UPLOADS + kept.length);
  expect(server.log()).not.toMatch(/An unexpected error/);
  const files = () => blobFiles(server.dataDir);
  expect(await untilServer(server.url, files, ({ length }) => length <= 2)).toEqual(keptFiles);

  const reader = createUploadClient(server.url, 4);
  const stored: string[] = [];
  for (const { key } of broken) {
    if ((await reader.read(key))?.status !== 404) stored.push(key);
  }
  expect(stored).toEqual([]);
  for (const [index, bytes] of kept.entries()) {
    expect(await reader.read(`kept/${index}`)).toMatchObject({ status: 200, md5: md5Of(bytes) });
  }
  expect(await reader.upload('after', randomBytes(100_000))).toMatchObject({ status: 201 });
  reader.close();

  const isAsBefore = (seen: Record<string, number>): boolean =>
    JSON.stringify(seen) === JSON.stringify(before);
  await untilServer(server.url, look, isAsBefore);
});

// The end of a form is the boundary, two hyphens and a line break. Without both hyphens the file may go on,
// and its last bytes wait for more.
it.each(
  departures.flatMap((departure) => [1, 2, 3, 4].map((missing) => [departure, missing] as const)),
)(
  'removes a file that was all there before the client left: %s, %i bytes missing',
  async (departure, missing) => {
    const key = `whole/${departure}-${missing}`;
    const form = uploadForm(key, randomBytes(WHOLE_BYTES));
    const files = () => blobFiles(server.dataDir);
    const before = files();
    const sizes = () =>
      files()
        .filter((file) => !before.includes(file))
        .map(
          (file) => statSync(join(server.dataDir, 'blobs', file), { throwIfNoEntry: false })?.size,
        );
    const isDue = ([size]: (number | undefined)[]) =>
      missing <= 2 ? size === WHOLE_BYTES : size !== undefined;
    const isWritten = () => untilServer(server.url, sizes, isDue);
    const answer = await breakOff(
      server.url,
      form,
      form.body.length - missing,
      departure,
      isWritten,
    );
    expect(answer).not.toMatch(/^HTTP\/1\.1 [23]/);
    await untilServer(server.url, files, ({ length }) => length <= before.length);
    const reader = createUploadClient(server.url, 1);
    expect(await reader.read(key)).toMatchObject({ status: 404 });
    reader.close();
  },
);

interface PlannedBreak {
  readonly key: string;
  readonly size: number;
  readonly departure: (typeof departures)[number];
  /** How many bytes of a body of this length are sent: never all. */
  share(length: number): number;
}

function planBreak(random: Random, index: number): PlannedBreak {
  const size = pick(random, [
    intBetween(random, 0, 2_000),
    intBetween(random, INLINE_BYTES - 500, INLINE_BYTES + 500),
    intBetween(random, INLINE_BYTES, 500_000),
    intBetween(random, 500_000, 4_000_000),
  ]);
  const anywhere = random();
  // The last bytes are those of the boundary: by then the file itself is whole.
  const fromEnd = intBetween(random, 1, pick(random, [4, 60]));
  const isNearEnd = random() < 0.4;
  return {
    key: `broken/${index}`,
    size,
    departure: pick(random, departures),
    share: (length) => (isNearEnd ? length - fromEnd : Math.floor(anywhere * length)),
  };
}

function countUploads(): number {
  return server.log().match(/"method":"POST","path":"\/uploads"/g)?.length ?? 0;
}
