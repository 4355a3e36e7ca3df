import { afterEach, describe, expect, it } from 'vitest';
import { checkUploadOrder, syncsBetween } from './check-upload-order.ts';
import { hasStrace, startTraced, type TracedServer } from './traced-server.ts';
import { createUploadClient, md5Of } from './upload-client.ts';
import { ACCESS_KEY } from './upload-form.ts';

/** What an upload writes and syncs, and in which order: see fsync.test.ts. */

let server: TracedServer | undefined;
afterEach(async () => {
  await server?.discard();
  server = undefined;
});

/** The objects are uploaded one after the other; then the whole trace. */
async function traceUploads(objects: Readonly<Record<string, Buffer>>): Promise<string> {
  server = await startTraced({ env: ACCESS_KEY });
  const client = createUploadClient(server.url, 1);
  for (const [key, bytes] of Object.entries(objects)) {
    expect(await client.upload(key, bytes)).toMatchObject({ status: 201, etag: md5Of(bytes) });
  }
  client.close();
  const { code, trace } = await server.finish();
  expect(code).toBe(0);
  return trace;
}

describe.skipIf(!hasStrace)('under strace', () => {
  it('has a large upload on disk before its entry, and that before the answer', async () => {
    const bytes = Buffer.from('The bytes of a large upload. '.repeat(20_000));
    const trace = await traceUploads({ 'traced-large': bytes });
    const entry = { text: `{"etag":"${md5Of(bytes)}"`, marker: 'traced-large' };
    const check = (changed: string): readonly string[] =>
      checkUploadOrder(changed, entry, bytes.toString('latin1'));
    expect(check(trace)).toEqual([]);

    // The same trace, as it would be without one of the syncs.
    const without = (pattern: RegExp): string => {
      const changed = trace.replace(pattern, 'lseek($1');
      expect(changed).not.toBe(trace);
      return changed;
    };
    const late = (what: string) => [`${what} is not synced in time`];
    expect(check(without(/fsync\((\d+<[^>]*\/incoming\/)/g))).toEqual(late('the temporary file'));
    expect(check(without(/fsync\((\d+<[^>]*\/blobs\/[0-9a-f]{2}>)/g))).toEqual(late('its folder'));
    expect(check(without(/fsync\((\d+<[^>]*\/blobs>)/g))).toEqual(late('the folder of its folder'));
    expect(check(without(/fdatasync\((\d+<[^>]*\.log>)/g))).toEqual([
      expect.stringContaining('no sync'),
    ]);
    const inPlace = trace.replace(/rename\("([^"]*\/incoming\/)/g, 'link("$1');
    expect(check(inPlace)).toEqual(['the temporary file is not renamed']);
  });

  it('syncs once for a small upload: the log', async () => {
    const small = (key: string): [string, Buffer] => [key, Buffer.from(`small ${key}`)];
    const trace = await traceUploads(
      Object.fromEntries([small('traced-first'), small('traced-second'), small('traced-third')]),
    );
    for (const [before, marker] of [
      ['traced-first', 'traced-second'],
      ['traced-second', 'traced-third'],
    ] as const) {
      const syncs = syncsBetween(trace, before, marker);
      expect(syncs).toEqual([expect.objectContaining({ name: 'fdatasync' })]);
      expect(syncs[0]?.path).toMatch(/\/level\/\d+\.log$/);
    }
    expect(trace).not.toMatch(/blobs\/incoming\/./);
  });
});
