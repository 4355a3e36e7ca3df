import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../support/make-folder.ts';

/** A small disk of its own: what is full is nobody else's. */
export interface SmallDisk {
  readonly path: string;
  resize(mebibytes: number): void;
  remove(): Promise<void>;
}

function mount(...args: string[]): boolean {
  return spawnSync('mount', args).status === 0;
}

/** Mounting takes a privilege that most users and containers do not have. */
export const canMount = process.getuid?.() === 0 && tryMount();

function tryMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'keystow-test-mount-'));
  try {
    return mount('-t', 'tmpfs', 'tmpfs', path) && spawnSync('umount', [path]).status === 0;
  } finally {
    rmdirSync(path);
  }
}

export async function makeSmallDisk(mebibytes: number): Promise<SmallDisk> {
  const folder = await makeFolder();
  const path = join(folder, 'disk');
  mkdirSync(path);
  if (!mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path)) {
    throw new Error(`No tmpfs could be mounted at ${path}.`);
  }
  return {
    path,
    resize(size) {
      if (!mount('-o', `remount,size=${size}m`, path)) throw new Error('Not resized.');
    },
    async remove() {
      spawnSync('umount', ['-l', path]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
