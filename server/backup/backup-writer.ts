import { existsSync } from 'node:fs';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from '../durable-files.ts';
import { BackupError, DamagedBackup } from './backup-error.ts';
import type { BackupFile } from './backup-files.ts';
import { type Backup, openBackup } from './backup-folder.ts';
import { isBackupName, MANIFEST, SUMS } from './manifest.ts';

export interface WriteOptions {
  /** An earlier backup on the same file system: blobs that it has are linked instead of written. */
  readonly linkFrom?: string | undefined;
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
  /** What has to stay free on the disk; it is looked for now and then. */
  readonly minFreeBytes?: number | undefined;
  /** Ends it with the reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Files whose fsync is under way while the next ones are written. Few: where the store is on the same disk, its own
 * fsyncs wait for these.
 */
const MAX_SYNCING = 2;

/**
 * Writes a backup into a folder that is not there yet, or is empty: as `FOLDER.partial`, which gets its name once all of
 * it is on disk and was read back. Rejects with BackupError, or with what the files threw; then nothing is left.
 */
export async function writeBackup(
  files: AsyncIterable<BackupFile>,
  folder: string,
  options: WriteOptions = {},
): Promise<Backup> {
  const target = resolve(folder);
  const partial = partialOf(target);
  await checkFree(folder);
  // A backup that was killed left it.
  await asBackupError(target, rm(partial, { recursive: true, force: true }));
  try {
    await writeFiles(files, target, partial, options);
    await readBack(partial, options.signal);
    await asBackupError(target, publish(partial, target));
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
  return openBackup(target);
}

/** How much is written until the free space is looked at again, in bytes. */
const SPACE_CHECK_BYTES = 16 * 1_048_576;

export function partialOf(folder: string): string {
  return `${folder}.partial`;
}

/** Rejects with BackupError where something is in the way. */
export async function checkFree(folder: string): Promise<void> {
  const target = resolve(folder);
  const partial = partialOf(target);
  const [there] = await asBackupError(target, namesIn(target));
  if (there !== undefined) {
    throw new BackupError(`${target} is not empty: name a folder that is not there yet.`);
  }
  const foreign = (await asBackupError(target, namesIn(partial))).find((name) => !isOwn(name));
  if (foreign === undefined) return;
  throw new BackupError(
    `${partial} is in the way: it has ${foreign} in it, so remove it yourself.`,
  );
}

async function namesIn(folder: string): Promise<string[]> {
  return existsSync(folder) ? readdir(folder) : [];
}

function isOwn(name: string): boolean {
  return name === 'entries' || name === 'blobs' || isBackupName(name);
}

async function writeFiles(
  files: AsyncIterable<BackupFile>,
  target: string,
  partial: string,
  { linkFrom, onProgress, minFreeBytes = 0, signal }: WriteOptions,
): Promise<void> {
  const folders = new Set([partial]);
  const syncing = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let count = 0;
  let bytes = 0;
  let unchecked = 0;
  await asBackupError(target, mkdir(partial, { recursive: true, mode: 0o700 }));
  try {
    for await (const file of files) {
      signal?.throwIfAborted();
      if (count === 0 || unchecked + file.size > SPACE_CHECK_BYTES) {
        await checkSpace(target, partial, minFreeBytes + file.size);
        unchecked = 0;
      }
      unchecked += file.size;
      const path = join(partial, file.name);
      await asBackupError(target, makeFolders(dirname(path), folders));
      if (!(linkFrom && (await isLinked(join(linkFrom, file.name), path, file)))) {
        const handle = await writeFile(file, path, target, signal);
        const synced = asBackupError(target, syncAndClose(handle))
          .catch((error) => {
            failure = { error };
          })
          .finally(() => syncing.delete(synced));
        syncing.add(synced);
        if (syncing.size >= MAX_SYNCING) await Promise.race(syncing);
      }
      count += 1;
      bytes += file.size;
      onProgress?.(count, bytes);
      if (failure) throw failure.error;
    }
  } finally {
    await Promise.all(syncing);
  }
  if (failure) throw failure.error;
  for (const each of folders) await asBackupError(target, syncDirectory(each));
}

async function checkSpace(target: string, partial: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(partial);
  if (bavail * bsize >= neededBytes) return;
  throw new BackupError(
    `The backup ${target} would leave too little space on its disk: free some, or name another disk.`,
  );
}

async function makeFolders(path: string, known: Set<string>): Promise<void> {
  if (known.has(path)) return;
  await makeFolders(dirname(path), known);
  await mkdir(path, { mode: 0o700 });
  known.add(path);
}

/** Blobs never change under their names. */
async function isLinked(from: string, to: string, { name, size }: BackupFile): Promise<boolean> {
  if (!name.startsWith('blobs/')) return false;
  try {
    if ((await stat(from)).size !== size) return false;
    await link(from, to);
    return true;
  } catch {
    // Not there, or not on this file system: then it is written.
    return false;
  }
}

/** The handle of the file, to be synced and closed. */
async function writeFile(
  file: BackupFile,
  path: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<FileHandle> {
  const chunks = await file.open();
  const handle = await asBackupError(target, open(path, 'wx', 0o600));
  try {
    let size = 0;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      await asBackupError(target, handle.writeFile(chunk));
      size += chunk.length;
    }
    if (size === file.size) return handle;
    throw new BackupError(
      `${file.name} came with ${size} bytes instead of ${file.size}: try again.`,
    );
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function syncAndClose(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What was damaged before it was read is found here too. */
async function readBack(partial: string, signal: AbortSignal | undefined): Promise<void> {
  if (!existsSync(join(partial, MANIFEST)) || !existsSync(join(partial, SUMS))) {
    throw new BackupError('The backup broke off before its end: try again.');
  }
  try {
    await (await openBackup(partial)).readBack(() => signal?.throwIfAborted());
  } catch (error) {
    if (!(error instanceof DamagedBackup)) throw error;
    throw new BackupError(
      `The backup was not made, since what was written does not read back: ${error.detail}. Try again; if it stays so, the store itself is damaged there.`,
      { cause: error },
    );
  }
}

async function publish(partial: string, target: string): Promise<void> {
  // An empty folder gives way: rename(2).
  await rename(partial, target);
  await syncDirectory(dirname(target));
}

/** A sentence such as `The backup … cannot be written: no space left on device.` */
async function asBackupError<T>(target: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    const reason = /^[A-Z]\w+: ([^,]+)/.exec(error.message)?.[1] ?? error.message;
    throw new BackupError(`The backup ${target} cannot be written: ${reason}.`, { cause: error });
  }
}
