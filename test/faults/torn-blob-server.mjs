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

const { writev } = fileHandle;
const torn = new WeakSet();
fileHandle.writev = function (buffers, ...rest) {
  if (torn.has(this)) return writev.call(this, buffers, ...rest);
  torn.add(this);
  const last = Buffer.from(buffers.at(-1));
  last.fill(0, Math.max(0, last.length - UNWRITTEN_BYTES));
  return writev.call(this, [...buffers.slice(0, -1), last], ...rest);
};

await import('../../dist/server/cli/keystow.js');
