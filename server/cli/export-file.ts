import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT_FAILED, ExitError, fileError } from './exit-error.ts';
import { errorCode } from './network-error.ts';

/**
 * Writes a file that appears under its name only when it is whole and on disk; until then it is
 * `PATH.partial`, which a failure removes.
 */
export async function writeWholeFile(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  try {
    const target = await resolveTarget(path);
    const partial = `${target}.partial`;
    // What a killed export left is unlinked rather than truncated: should another export be
    // writing it, the two must not share a file.
    await rm(partial, { force: true });
    const file = await open(partial, 'wx');
    try {
      for await (const chunk of chunks) {
        await file.writeFile(chunk);
      }
      await file.sync();
      if (!(await isFile(partial, file))) {
        throw new ExitError(EXIT_FAILED, `another export is writing ${path}; run one at a time.`);
      }
    } catch (error) {
      if (await isFile(partial, file)) {
        await rm(partial);
      }
      throw error;
    } finally {
      await file.close();
    }
    await rename(partial, target);
    await syncFolder(dirname(target));
  } catch (error) {
    throw errorCode(error) === '' ? error : fileError('write', path, error);
  }
}

/** Follows links, so that a link keeps pointing to the file. */
async function resolveTarget(path: string): Promise<string> {
  try {
    const target = await realpath(path);
    if (!(await stat(target)).isFile()) {
      throw new ExitError(EXIT_FAILED, `${path} is not a file; leave it out for standard output.`);
    }
    return target;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return path;
    }
    throw error;
  }
}

async function isFile(path: string, file: FileHandle): Promise<boolean> {
  const [named, opened] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
}

/** A rename is on disk only with its folder. Windows cannot open folders, and needs no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
