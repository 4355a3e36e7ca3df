import { afterEach, describe, expect, it } from 'vitest';
import { checkFsync } from './check-fsync.ts';
import { checkUploadOrder, syncsBetween } from './check-upload-order.ts';
import { type PartState, partState, partsState } from './multipart-ledger.ts';
import { completeXml } from './multipart-worker.ts';
import { hasStrace, startTraced, type TracedServer } from './traced-server.ts';
import { createUploadClient, type UploadClient } from './upload-client.ts';
import { objectPath } from './upload-form.ts';

/** What an upload in parts writes and syncs, and in which order: see fsync.test.ts. */

let server: TracedServer | undefined;
afterEach(async () => {
  await server?.discard();
  server = undefined;
});

const KEY = 'traced-parts';
const LARGE = Buffer.from('The bytes of a large part. '.repeat(20_000));
const SMALL = Buffer.from('The bytes of a small part.');

async function begin(client: UploadClient): Promise<string> {
  const answer = await client.call('POST', `${objectPath(KEY)}?uploads`);
  const id = /<UploadId>(\w+)</.exec(answer?.text ?? '')?.[1];
  if (id === undefined) throw new Error(`No upload was begun: ${answer?.text}`);
  return id;
}

async function send(client: UploadClient, id: string, number: number, bytes: Buffer) {
  const path = `${objectPath(KEY)}?uploadId=${id}&partNumber=${number}`;
  const answer = await client.call('PUT', path, bytes);
  expect(answer).toMatchObject({ status: 200, etag: partState(bytes).md5 });
}

async function complete(client: UploadClient, id: string, number: number, part: PartState) {
  const body = Buffer.from(completeXml([[number, part]]));
  const answer = await client.call('POST', `${objectPath(KEY)}?uploadId=${id}`, body);
  expect([answer?.status, answer?.text]).toEqual([
    200,
    expect.stringContaining(`"${partsState([part]).etag}"`),
  ]);
}

describe.skipIf(!hasStrace)('under strace', () => {
  it('has a part on disk before its answer, and a completion before its own', async () => {
    server = await startTraced();
    const client = createUploadClient(server.url, 1);
    await send(client, await begin(client), 2, SMALL);
    const id = await begin(client);
    await send(client, id, 7, LARGE);
    await complete(client, id, 7, partState(LARGE));
    client.close();
    const { code, trace } = await server.finish();
    expect(code).toBe(0);

    const large = partState(LARGE);
    const entry = { text: `{"etag":"${large.md5}"`, marker: `"${large.md5}"` };
    const check = (changed: string): readonly string[] =>
      checkUploadOrder(changed, entry, LARGE.toString('latin1'));
    expect(check(trace)).toEqual([]);
    const { etag } = partsState([large]);
    const object = { text: `{"etag":"${etag}"`, marker: `"${etag}"` };
    const small = partState(SMALL);
    const inline = { text: `{"etag":"${small.md5}"`, marker: `"${small.md5}"` };
    expect(checkFsync(trace, [inline, object])).toEqual([]);
    // One sync each: the log. The bytes of the completed parts are on disk already.
    const syncs = syncsBetween(trace, entry.marker, object.marker);
    expect(syncs).toEqual([expect.objectContaining({ name: 'fdatasync' })]);
    expect(syncs[0]?.path).toMatch(/\/level\/\d+\.log$/);

    // The same trace, as it would be without the syncs.
    const without = (pattern: RegExp): string => {
      const changed = trace.replace(pattern, 'lseek($1');
      expect(changed).not.toBe(trace);
      return changed;
    };
    expect(check(without(/fsync\((\d+<[^>]*\/incoming\/)/g))).toEqual([
      'the temporary file is not synced in time',
    ]);
    const unsynced = without(/fdatasync\((\d+<[^>]*\.log>)/g);
    expect(checkFsync(unsynced, [inline, object])).toHaveLength(2);
  });
});
