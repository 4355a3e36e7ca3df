import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory, writeDurably } from '../../durable-files.ts';

/** What is in a data directory, and who may open it; all of it before the engine touches a file. */

/** Raised when a version can no longer read what an earlier one wrote. */
const FORMAT = 1;

/** A data directory that cannot be used; the message says why and what to do. */
export class DataDirError extends Error {
  override readonly name = 'DataDirError';
}

export interface DataDir {
  readonly path: string;
  readonly database: string;
  /** The last acknowledged sequence number, beside the database: see integrity.ts. */
  readonly head: string;
}

export function dataDirAt(path: string): DataDir {
  const absolute = resolve(path);
  return { path: absolute, database: join(absolute, 'level'), head: join(absolute, 'head') };
}

/** Checks format and owner of an existing directory; changes nothing. Throws DataDirError. */
export function checkDataDir(dir: DataDir): void {
  checkFormat(dir);
  checkOwner(dir);
}

/** Makes the directory and its format marker where they are missing, durably. */
export async function createDataDir(dir: DataDir): Promise<void> {
  if (existsSync(formatFile(dir))) return;
  try {
    await makeDirectory(dir.path);
    await writeDurably(formatFile(dir), `${FORMAT}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new DataDirError(`DATA_DIR ${dir.path} cannot be used: ${reason}.`, { cause: error });
  }
}

/** With its parents. Node's own recursive mkdir never ends where even root may make none, as in /proc. */
async function makeDirectory(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeDirectory(dirname(path));
  await mkdir(path, { mode: 0o700 });
  await syncDirectory(dirname(path));
}

/** Names this process as the owner, for the error message of the next one that tries. */
export async function writeOwner(dir: DataDir): Promise<void> {
  await writeFile(ownerFile(dir), `${process.pid} ${processStart(process.pid) ?? ''}\n`);
}

export async function removeOwner(dir: DataDir): Promise<void> {
  await rm(ownerFile(dir), { force: true });
}

function checkFormat(dir: DataDir): void {
  const text = readIfThere(formatFile(dir));
  if (text === undefined) {
    if (!existsSync(dir.database)) return;
    throw new DataDirError(
      `${dir.path} has a database but no format marker: it is not a whole Keystow data directory. Choose another DATA_DIR, or restore a backup.`,
    );
  }
  const format = Number(text.trim());
  if (!Number.isSafeInteger(format) || format < 1) {
    throw new DataDirError(
      `The format marker ${formatFile(dir)} is unreadable: restore it (its content is ${FORMAT}) or a backup.`,
    );
  }
  if (format > FORMAT) {
    throw new DataDirError(
      `${dir.path} was made by a newer version of Keystow (format ${format}; this one reads ${FORMAT}): start that version.`,
    );
  }
}

/**
 * LevelDB's own lock decides in the end, but its attempt already renames a file of the owner.
 * A process counts only if it is the very one that wrote the file: numbers are used again.
 */
function checkOwner(dir: DataDir): void {
  const [pid, start] = readIfThere(ownerFile(dir))?.trim().split(' ') ?? [];
  if (pid !== undefined && start !== undefined && processStart(Number(pid)) === start) {
    throw inUse(dir, `process ${pid}`);
  }
}

export function inUse(dir: DataDir, owner = 'another process'): DataDirError {
  return new DataDirError(
    `${dir.path} is in use by ${owner}: stop that one, or choose another DATA_DIR.`,
  );
}

/** Start time of a process in clock ticks, from /proc (proc(5), field 22); undefined without it. */
function processStart(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(`${error.code}`);
}

function formatFile(dir: DataDir): string {
  return join(dir.path, 'format');
}

function ownerFile(dir: DataDir): string {
  return join(dir.path, 'owner');
}
