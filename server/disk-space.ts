import { statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import { KeystowError } from '../shared/errors.ts';
import { FREE_SPACE_CHECK_MS } from '../shared/limits.ts';
import type { SpaceCheck } from './stores/space-guard.ts';

/**
 * The free space of the disks that something is written to. LevelDB cannot go on after a full disk without a
 * restart, so writes are refused before.
 */
export interface DiskSpace extends SpaceCheck {
  /** Of the fullest disk, in bytes, as last seen; undefined before the first look, or where none is looked at. */
  freeBytes(): number | undefined;
  isLow(): boolean;
  /** Looks now, and from now on every second. Never rejects. */
  watch(): Promise<void>;
  close(): void;
}

/** Else writes would be let through and refused in turn while there is little. */
const ENOUGH_AGAIN = 1.1;
/** Of the limit: what is deleted takes space before it gives some back. */
const LEFT_FOR_DELETIONS = 0.5;

export function createDiskSpace(options: {
  /** Folders, which may lie on several disks; none: nothing is ever refused. */
  readonly folders: readonly string[];
  /** 0: nothing is ever refused. */
  readonly minFreeBytes: number;
  readonly log: Logger;
  /** What a test has in the place of statfs(2). */
  readonly look?: ((folder: string) => Promise<number>) | undefined;
}): DiskSpace {
  const { folders, minFreeBytes, log, look = freeBytesAt } = options;
  let free: number | undefined;
  /** Since then: a fast disk takes more in a second than is left. */
  let written = 0;
  let isLow = false;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function watch(): Promise<void> {
    if (folders.length === 0) return;
    try {
      free = Math.min(...(await Promise.all(folders.map(look))));
      written = 0;
      tell(free < (isLow ? minFreeBytes * ENOUGH_AGAIN : minFreeBytes), free);
    } catch (error) {
      // What was last seen holds: who cannot look need not refuse.
      log.debug({ err: error }, 'the free space of the disk is not known');
    }
    if (!isClosed) timer = setTimeout(watch, FREE_SPACE_CHECK_MS).unref();
  }

  function tell(isLowNow: boolean, freeBytes: number): void {
    if (isLowNow === isLow) return;
    isLow = isLowNow;
    if (isLow) {
      log.error(
        { freeBytes, minFreeBytes },
        'the disk is nearly full: writes are refused until more than MIN_FREE_BYTES is free, reads go on',
      );
    } else log.info({ freeBytes, minFreeBytes }, 'the disk has space again: writes go on');
  }

  return {
    freeBytes: () => free,
    isLow: () => isLow,
    checkMayWrite(bytes) {
      if (minFreeBytes === 0) return;
      written += bytes;
      if (free !== undefined && free - written < minFreeBytes) tell(true, free - written);
      if (isLow) throw full();
    },
    checkMayRemove() {
      if (isLow && free !== undefined && free < minFreeBytes * LEFT_FOR_DELETIONS) throw full();
    },
    watch,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

function full(): KeystowError {
  return new KeystowError(
    'disk-full',
    'The disk is full: nothing was stored. Deletions are still taken.',
  );
}

/** What this process may use of it. */
async function freeBytesAt(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
