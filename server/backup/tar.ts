import { once } from 'node:events';
import { pack as createPack, type Extract, extract, type Pack } from 'tar-stream';
import { BackupError } from './backup-error.ts';
import type { BackupFile } from './backup-files.ts';
import { FAILED, isBackupName } from './manifest.ts';

/** A backup as one stream: a tar archive, which any tar unpacks. */

/** Of its `FAILED`, in bytes. */
const MAX_REASON_BYTES = 4_096;

/**
 * The archive. Where the files fail, it ends with `FAILED`, which says why in the sentence that `reasonOf` gives, and
 * without a manifest; where one of them breaks off, it throws.
 */
export async function* packTar(
  files: AsyncIterable<BackupFile>,
  mtime: Date,
  reasonOf: (error: unknown) => string,
): AsyncGenerator<Buffer> {
  const pack = createPack();
  const filling = fill(pack, files, mtime, reasonOf).catch((error) => pack.destroy(error));
  try {
    yield* pack as AsyncIterable<Buffer>;
  } finally {
    pack.destroy(null);
    await filling;
  }
}

async function fill(
  pack: Pack,
  files: AsyncIterable<BackupFile>,
  mtime: Date,
  reasonOf: (error: unknown) => string,
): Promise<void> {
  let isWithin = false;
  try {
    for await (const { name, size, open } of files) {
      const chunks = await open();
      isWithin = true;
      const sink = pack.entry({ name, size, mtime, mode: 0o600 });
      await fillEntry(sink, chunks);
      isWithin = false;
      if (pack.destroyed) return;
    }
  } catch (error) {
    if (isWithin) throw error;
    pack.entry({ name: FAILED, mtime, mode: 0o600 }, Buffer.from(reasonOf(error)));
  }
  pack.finalize();
}

async function fillEntry(
  sink: ReturnType<Pack['entry']>,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  let failure: Error | undefined;
  const closed = new Promise<void>((resolve) => {
    sink.once('error', (error) => {
      failure = error;
    });
    sink.once('close', resolve);
  });
  for await (const chunk of chunks) {
    if (failure || sink.destroyed) break;
    if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), closed]);
  }
  sink.end(null);
  await closed;
  if (failure) throw failure;
}

/** The files of an archive, each to be read before the next. Throws BackupError for what is none, or says that it failed. */
export async function* unpackTar(archive: AsyncIterable<Buffer>): AsyncGenerator<BackupFile> {
  const unpacking = extract();
  const feeding = feed(archive, unpacking);
  try {
    for await (const entry of unpacking) {
      const { name, type, size } = entry.header;
      const chunks = entry as AsyncIterable<Buffer>;
      if (type !== 'file' || !isBackupName(name)) {
        throw new BackupError('What was sent is no backup: is --url a Keystow server?');
      }
      if (name === FAILED) throw new BackupError(await readReason(chunks));
      yield { name, size, open: () => Promise.resolve(chunks) };
    }
  } finally {
    unpacking.destroy(null);
    await feeding;
  }
}

/** Never rejects: what goes wrong ends the unpacking. */
async function feed(archive: AsyncIterable<Buffer>, unpacking: Extract): Promise<void> {
  try {
    const closed = new Promise<void>((resolve) => unpacking.once('close', resolve));
    for await (const chunk of archive) {
      if (unpacking.destroyed) return;
      if (!unpacking.write(chunk)) await Promise.race([once(unpacking, 'drain'), closed]);
    }
    unpacking.end(null);
  } catch (error) {
    unpacking.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

async function readReason(entry: AsyncIterable<Buffer>): Promise<string> {
  let reason = '';
  for await (const chunk of entry) reason = (reason + chunk).slice(0, MAX_REASON_BYTES);
  return reason;
}
