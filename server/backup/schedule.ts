import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import { BACKUP_RENEW_MS, BACKUP_RETRY_MS } from '../../shared/limits.ts';
import type { Backups } from '../services/backups.ts';
import type { KvStore } from '../stores/kv-store.ts';
import { BackupError, DamagedBackup } from './backup-error.ts';
import { type Backup, listBackups } from './backup-folder.ts';
import { partialOf, writeBackup } from './backup-writer.ts';

/** Backups that the server itself makes, now and then. */
export interface BackupSchedule {
  /** For metrics. */
  readonly status: BackupStatus;
  /** Ends what is under way; no backup begins any more. */
  close(): Promise<void>;
}

/** Of this node since it started; times in milliseconds since 1970. */
export interface BackupStatus {
  lastSuccess?: { readonly at: number; readonly sequence: number; readonly seconds: number };
  lastFailure?: { readonly at: number };
  failures: number;
}

/** When the last scheduled backup was taken, on whichever node. */
const SCHEDULE_KEY = 'meta/backup-schedule';
/** What a timer of Node can wait for, in milliseconds, with room to spare. */
const MAX_WAIT_MS = 3_600_000;

export function scheduleBackups(options: {
  readonly backups: Backups;
  readonly folder: string;
  readonly everyMs: number;
  /** Backups to keep. */
  readonly keep: number;
  /** What has to stay free on the disk: it may be that of the data. */
  readonly minFreeBytes: number;
  /** Where several nodes agree which one makes it; undefined: the folder tells. */
  readonly shared: KvStore | undefined;
  readonly log: Logger;
  readonly now: () => number;
}): BackupSchedule {
  const { backups, folder, everyMs, keep, minFreeBytes, shared, log, now } = options;
  const status: BackupStatus = { failures: 0 };
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  function wait(ms: number): void {
    if (stopping.signal.aborted) return;
    const delay = Math.min(Math.max(ms, 0), MAX_WAIT_MS);
    timer = setTimeout(() => {
      running = tick().then(wait);
    }, delay).unref();
  }

  /** The milliseconds until the next one. */
  async function tick(): Promise<number> {
    try {
      const due = await dueAt();
      if (due > now()) return due - now();
      await run();
      return everyMs;
    } catch (error) {
      if (stopping.signal.aborted) return 0;
      if (error instanceof KeystowError && error.code === 'conflict')
        return Math.min(everyMs, BACKUP_RENEW_MS);
      status.lastFailure = { at: now() };
      status.failures += 1;
      log.error({ err: error, folder }, 'a scheduled backup failed');
      return Math.min(everyMs, BACKUP_RETRY_MS);
    }
  }

  async function dueAt(): Promise<number> {
    if (shared) {
      const entry = await shared.get(SCHEDULE_KEY);
      const record: { at: number } | undefined = entry && JSON.parse(entry.value.toString());
      return record ? record.at + everyMs : 0;
    }
    const newest = (await present()).at(-1);
    return newest === undefined ? 0 : timeOf(newest) + everyMs;
  }

  async function present(): Promise<string[]> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return listBackups(folder, isScheduledName);
  }

  async function run(): Promise<void> {
    const begun = performance.now();
    const previous = (await present()).at(-1);
    const backup = await make(previous).catch((error) => {
      // What was linked may have been damaged where it lay: then all is written anew.
      const isDamaged = error instanceof BackupError && error.cause instanceof DamagedBackup;
      if (!isDamaged || previous === undefined) throw error;
      log.warn({ err: error }, 'a scheduled backup is made anew, without links to the one before');
      return make(undefined);
    });
    if (!backup) return;
    const { sequence, takenAt, documents, objects, blobs } = backup.manifest;
    const seconds = (performance.now() - begun) / 1_000;
    if (shared) {
      const value = Buffer.from(JSON.stringify({ at: Date.parse(takenAt) }));
      await shared.commit([], [{ type: 'put', key: SCHEDULE_KEY, value }]);
    }
    status.lastSuccess = { at: Date.parse(takenAt), sequence, seconds };
    log.info({ folder: backup.folder, sequence, documents, objects, blobs, seconds }, 'backed up');
    await removeOld();
  }

  /** Undefined where another node was faster. */
  async function make(previous: string | undefined): Promise<Backup | undefined> {
    const open = await backups.begin();
    try {
      if (shared && (await dueAt()) > now()) return undefined;
      await removePartials();
      return await writeBackup(open.files, join(folder, nameOf(open.takenAt)), {
        linkFrom: previous === undefined ? undefined : join(folder, previous),
        minFreeBytes,
        signal: stopping.signal,
      });
    } finally {
      await open.close();
    }
  }

  /** Those of a server that was killed: nobody else writes now. */
  async function removePartials(): Promise<void> {
    for (const name of await readdir(folder)) {
      if (!name.endsWith(PARTIAL) || !isScheduledName(name.slice(0, -PARTIAL.length))) continue;
      await rm(join(folder, name), { recursive: true });
    }
  }

  async function removeOld(): Promise<void> {
    for (const name of (await present()).slice(0, -keep)) {
      const path = join(folder, name);
      // So that what is removed by half does not look whole.
      await rename(path, partialOf(path));
      await rm(partialOf(path), { recursive: true });
    }
  }

  wait(0);
  return {
    status,
    async close() {
      stopping.abort(new KeystowError('unavailable', 'The server is stopping.'));
      clearTimeout(timer);
      await running;
    },
  };
}

const PARTIAL = partialOf('');
const NAME = /^keystow-(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3}Z)$/;

/** Such as `keystow-2026-03-01T09-30-00.000Z`: their order is that of time. */
function nameOf(takenAt: number): string {
  return `keystow-${new Date(takenAt).toISOString().replaceAll(':', '-')}`;
}

function isScheduledName(name: string): boolean {
  return NAME.test(name);
}

function timeOf(name: string): number {
  return Date.parse(name.replace(NAME, '$1$2:$3:$4'));
}
