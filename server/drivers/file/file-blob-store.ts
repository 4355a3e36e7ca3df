import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { KeystowError } from '../../../shared/errors.ts';
import { syncDirectory } from '../../durable-files.ts';
import { BlobDamaged, BlobMissing, type BlobStore } from '../../stores/blob-store.ts';
import { createBatchWriter } from './batch-writer.ts';

/** What a read stream reads at a time. */
const READ_BYTES = 256 * 1_024;

/**
 * Blobs as files: written to `incoming/`, synced, renamed to `XX/NAME`, the directory synced. So a
 * file outside `incoming/` is whole, and a crash leaves only what `sweep` finds.
 */
export async function openFileBlobStore(folder: string): Promise<BlobStore> {
  const incoming = join(folder, 'incoming');
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await syncDirectory(folder);
  await syncDirectory(dirname(folder));

  async function write(handle: FileHandle, source: AsyncIterable<Buffer>): Promise<number> {
    const writer = createBatchWriter(handle);
    try {
      for await (const chunk of source) {
        const waiting = writer.write(chunk);
        if (waiting) await asStoreError(waiting);
      }
      await asStoreError(writer.end());
    } finally {
      // Nobody may close the file while it is written.
      await writer.settled();
    }
    await asStoreError(handle.sync());
    return writer.bytes;
  }

  async function publish(temporary: string, id: string): Promise<void> {
    const path = pathOf(id);
    if (await makeFolder(dirname(path))) await syncDirectory(folder);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  }

  function pathOf(id: string): string {
    return join(folder, id.slice(0, 2), id);
  }

  return {
    async put(source, known) {
      const id = known ?? randomBytes(16).toString('hex');
      const temporary = join(incoming, id);
      // A copy that was killed may have left a part of a known one.
      const handle = await asStoreError(open(temporary, known ? 'w' : 'wx', 0o600));
      try {
        const size = await write(handle, source);
        await handle.close();
        await asStoreError(publish(temporary, id));
        return { id, size };
      } catch (error) {
        await handle.close().catch(() => {});
        await rm(temporary, { force: true });
        await rm(pathOf(id), { force: true });
        throw error;
      }
    },

    async get(id, range) {
      let handle: FileHandle;
      try {
        handle = await open(pathOf(id), 'r');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') throw new BlobMissing(id);
        throw error;
      }
      const { size } = await handle.stat();
      if (range.end < size) return handle.createReadStream({ highWaterMark: READ_BYTES, ...range });
      await handle.close();
      throw new BlobDamaged(id, size);
    },

    async isEmpty() {
      for (const part of await readdir(folder)) {
        if ((await readdir(join(folder, part))).length > 0) return false;
      }
      return true;
    },

    async delete(id) {
      await rm(pathOf(id), { force: true });
    },

    async sweep(referencedIds) {
      let removed = 0;
      for (const name of await readdir(incoming)) {
        await rm(join(incoming, name), { force: true });
        removed += 1;
      }
      for (const part of await readdir(folder)) {
        if (!/^[0-9a-f]{2}$/.test(part)) continue;
        const referenced = await referencedIds(part);
        for (const id of await readdir(join(folder, part))) {
          if (referenced.has(id)) continue;
          await rm(join(folder, part, id), { force: true });
          removed += 1;
        }
      }
      return removed;
    },
  };
}

/** True where it made one. Node's recursive mkdir tells a full disk as a folder that is missing. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A full disk is told from other failures; neither tells a path. */
async function asStoreError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isFull(error)
      ? new KeystowError('disk-full', 'The disk is full: nothing was stored.', { cause: error })
      : new KeystowError('unavailable', 'Writing to the disk failed: nothing was stored.', {
          cause: error,
        });
  }
}

/** Node has no name for EDQUOT. */
function isFull(error: unknown): boolean {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
  return errno === -constants.errno.ENOSPC || errno === -constants.errno.EDQUOT;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
