import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { EXIT_FAILED, ExitError, fileError } from './exit-error.ts';

const CHUNK_BYTES = 262_144;

/** The bytes of an upload, read only as fast as they are taken. */
export interface UploadSource {
  /** What messages call it. */
  title: string;
  /** The file's own name; standard input has none. */
  filename: string | undefined;
  /** Exactly so many bytes follow; undefined where nobody can tell. */
  size: number | undefined;
  /** So many are expected, which need not be true. */
  expectedSize: number | undefined;
  chunks(): AsyncGenerator<Buffer, void>;
}

/** A file, or standard input for `-`. */
export async function openSource(file: string): Promise<UploadSource> {
  if (file === '-') {
    const stats = fstatSync(0);
    return {
      title: 'standard input',
      filename: undefined,
      size: undefined,
      expectedSize: stats.isFile() ? stats.size : undefined,
      chunks: () => readStdin(),
    };
  }
  try {
    const handle = await open(file);
    const stats = await handle.stat();
    if (stats.isDirectory()) {
      throw new ExitError(EXIT_FAILED, `${file} is a folder: upload its files one by one.`);
    }
    // Files of the system, such as those in /proc, say 0 and have content.
    const size = stats.isFile() && stats.size > 0 ? stats.size : undefined;
    return {
      title: file,
      filename: basename(file),
      size,
      expectedSize: size,
      chunks: () => readFile(handle, file, size),
    };
  } catch (error) {
    throw error instanceof ExitError ? error : fileError('read', file, error);
  }
}

async function* readStdin(): AsyncGenerator<Buffer, void> {
  try {
    yield* process.stdin;
  } catch (error) {
    throw fileError('read', 'standard input', error);
  }
}

async function* readFile(
  handle: FileHandle,
  file: string,
  size: number | undefined,
): AsyncGenerator<Buffer, void> {
  // What is added meanwhile is left out, since the size was announced.
  const end = size === undefined ? {} : { end: size - 1 };
  let bytes = 0;
  try {
    for await (const chunk of handle.createReadStream({ highWaterMark: CHUNK_BYTES, ...end })) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw fileError('read', file, error);
  }
  if (size !== undefined && bytes < size) {
    throw new ExitError(EXIT_FAILED, `${file} became shorter while it was read; try again.`);
  }
}
