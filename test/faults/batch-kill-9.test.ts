import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { runs } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/** Batches under way when the server is killed: each is there whole, or not at all. */

const WRITERS = 6;
const MEMBERS = 40;

/** Replaces or makes the same documents again and again; the numbers of those answered 200. */
async function write(server: ServerProcess, writer: number, onAnswer: () => void): Promise<number> {
  const rest = createRest(server.url);
  let acknowledged = -1;
  try {
    for (let n = 0; ; n += 1) {
      const members = Array.from({ length: MEMBERS }, (_, at) => ({
        url: `/data/w${writer}/${at}`,
        method: 'PUT',
        data: { n, padding: 'x'.repeat(500) },
        ...(n === 0 ? { headers: { 'if-none-match': '*' } } : {}),
      }));
      const { status } = await rest('POST', '/api/batch', members);
      expect(status).toBe(200);
      acknowledged = n;
      onAnswer();
    }
  } catch (error) {
    // fetch says so with a TypeError.
    if (!(error instanceof TypeError)) throw error;
    return acknowledged;
  }
}

it(`leaves no batch half done in ${runs(1, 10)} kills`, async () => {
  for (let round = 0; round < runs(1, 10); round += 1) {
    const folder = await makeFolder();
    const server = await startProcess({ folder });
    let answered = 0;
    let reach = (): void => undefined;
    const enough = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      write(server, writer, () => {
        answered += 1;
        if (answered === 25 + round * 7) reach();
      }),
    );
    await enough;
    await server.kill();
    const acknowledged = await Promise.all(writers);

    const again = await startProcess({ folder });
    const accept = { accept: 'application/x-ndjson' };
    for (const [writer, last] of acknowledged.entries()) {
      const path = `/data?prefix=w${writer}/`;
      const { text } = await createRest(again.url)('GET', path, undefined, accept);
      const rows = text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
      const numbers = new Set(rows.map(({ value }) => value.n));
      // What had no answer may be there, whole.
      if (last < 0 && rows.length === 0) continue;
      expect(rows).toHaveLength(MEMBERS);
      expect(numbers.size).toBe(1);
      expect([last, last + 1]).toContain([...numbers][0]);
      const etags = rows.map(({ etag }) => Number(etag.replaceAll('"', ''))).sort((a, b) => a - b);
      expect((etags.at(-1) ?? 0) - (etags[0] ?? 0)).toBe(MEMBERS - 1);
    }
    await again.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
