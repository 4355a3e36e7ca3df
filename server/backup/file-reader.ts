import { open } from 'node:fs/promises';

/**
 * Reads one file after another into one buffer: each buffer of its own would be outside V8's heap, which collects those
 * late.
 */
export function createFileReader(): (path: string) => Promise<Buffer> {
  let buffer = Buffer.alloc(0);
  /** The bytes are good until the next call. */
  return async (path) => {
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      if (buffer.length < size) buffer = Buffer.allocUnsafeSlow(size);
      let length = 0;
      while (length < size) {
        const { bytesRead } = await handle.read(buffer, length, size - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  };
}

/** The bytes of a file, piece by piece, each of which is good until the next. */
export async function* filePieces(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  const handle = await open(path);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, pieceBytes);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
