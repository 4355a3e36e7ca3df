import { open } from 'node:fs/promises';

/**
 * The planted fault that the checker of objects must report: Keystow over a disk that says it has
 * written what it has not. The end of each file's first write reads as zeros, as a page does that was
 * never written.
 */

const UNWRITTEN_BYTES = 512;

const probe = await open(process.execPath, 'r');
const fileHandle = Object.getPrototypeOf(probe);
await probe.close();

const { write } = fileHandle;
const torn = new WeakSet();
fileHandle.write = function (buffer, ...rest) {
  if (torn.has(this) || !Buffer.isBuffer(buffer)) return write.call(this, buffer, ...rest);
  torn.add(this);
  const from = Math.max(0, buffer.length - UNWRITTEN_BYTES);
  return write.call(this, Buffer.from(buffer).fill(0, from), ...rest);
};

await import('../../dist/server/cli/keystow.js');
