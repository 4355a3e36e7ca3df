import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { FileUpload } from '../../api/file-upload.ts';
import type { StoredObject } from '../../api/object-page.ts';
import { isAbort } from '../../parts/explain.ts';

/** Files on their way to the server, a few at a time. They go on while other things are looked at. */

export interface Upload {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly state: UploadState;
}

export type UploadState =
  | { readonly kind: 'waiting' | 'checking' | 'done' | 'cancelled' | 'skipped' }
  /** Whether to replace this is asked. */
  | { readonly kind: 'exists'; readonly object: StoredObject }
  /** Bytes of the file. */
  | { readonly kind: 'sending'; readonly sent: number }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface UploadQueue {
  readonly uploads: ReadonlySignal<readonly Upload[]>;
  /** Whether one of them would be lost with the page. */
  readonly isBusy: ReadonlySignal<boolean>;
  add(bucket: string, files: readonly { readonly key: string; readonly file: File }[]): void;
  cancel(id: number): void;
  retry(id: number): void;
  /** The answer to `exists`. */
  decide(id: number, answer: 'replace' | 'skip'): void;
  /** Forgets those that are over. */
  tidy(): void;
  /** Cancels and forgets everything. */
  clear(): void;
}

interface Job {
  readonly file: File;
  mayReplace: boolean;
  /** While it is under way. */
  work?: AbortController | undefined;
}

export const AT_A_TIME = 3;
const TOO_LATE = 'Cancelled when all of it had been sent: look whether it was stored.';

export function createUploadQueue(server: {
  find(bucket: string, key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  send(upload: FileUpload): Promise<void>;
}): UploadQueue {
  const uploads = signal<readonly Upload[]>([]);
  const jobs = new Map<number, Job>();
  let last = 0;

  function set(id: number, state: UploadState): void {
    uploads.value = uploads.value.map((upload) =>
      upload.id === id ? { ...upload, state } : upload,
    );
  }

  /** Two files of one name follow one another, so that the second one asks. */
  function nextToStart(): Upload | undefined {
    const underWay = uploads.value.filter(({ id }) => jobs.get(id)?.work);
    if (underWay.length >= AT_A_TIME) return undefined;
    return uploads.value.find(
      ({ state, bucket, key }) =>
        state.kind === 'waiting' &&
        !underWay.some((other) => other.bucket === bucket && other.key === key),
    );
  }

  function startWaiting(): void {
    for (let upload = nextToStart(); upload; upload = nextToStart()) void run(upload);
  }

  async function run({ id, bucket, key, size }: Upload): Promise<void> {
    const job = jobs.get(id);
    if (!job) return set(id, { kind: 'cancelled' });
    job.work = new AbortController();
    const { signal } = job.work;
    let isSent = false;
    set(id, { kind: 'checking' });
    try {
      const found = job.mayReplace ? undefined : await server.find(bucket, key, signal);
      if (found) {
        set(id, { kind: 'exists', object: found });
      } else {
        set(id, { kind: 'sending', sent: 0 });
        const onProgress = ({ sent, total }: { sent: number; total: number }): void => {
          isSent = sent >= total;
          // The form around the file counts, too.
          set(id, { kind: 'sending', sent: Math.floor((sent / total) * size) });
        };
        await server.send({ bucket, key, file: job.file, signal, onProgress });
        set(id, { kind: 'done' });
      }
    } catch (error) {
      if (!isAbort(error)) set(id, { kind: 'failed', error });
      else set(id, isSent ? { kind: 'failed', error: new Error(TOO_LATE) } : { kind: 'cancelled' });
    }
    job.work = undefined;
    startWaiting();
  }

  function restart(id: number, mayReplace: boolean): void {
    const job = jobs.get(id);
    if (!job || job.work) return;
    job.mayReplace = mayReplace;
    set(id, { kind: 'waiting' });
    startWaiting();
  }

  return {
    uploads,
    isBusy: computed(() => uploads.value.some(({ state }) => !isOver(state))),

    add(bucket, files) {
      const added = files.map(({ key, file }): Upload => {
        last += 1;
        jobs.set(last, { file, mayReplace: false });
        return { id: last, bucket, key, size: file.size, state: { kind: 'waiting' } };
      });
      uploads.value = [...uploads.value, ...added];
      startWaiting();
    },

    cancel(id) {
      const job = jobs.get(id);
      if (job?.work) job.work.abort();
      else set(id, { kind: 'cancelled' });
    },

    retry(id) {
      restart(id, jobs.get(id)?.mayReplace ?? false);
    },

    decide(id, answer) {
      if (answer === 'replace') restart(id, true);
      else set(id, { kind: 'skipped' });
    },

    tidy() {
      const kept = uploads.value.filter(({ state }) => !isOver(state));
      const ids = new Set(kept.map(({ id }) => id));
      for (const id of jobs.keys()) if (!ids.has(id)) jobs.delete(id);
      uploads.value = kept;
    },

    clear() {
      for (const { work } of jobs.values()) work?.abort();
      jobs.clear();
      uploads.value = [];
    },
  };
}

/** Nothing more happens to it by itself, nor is anything asked. */
export function isOver({ kind }: UploadState): boolean {
  return kind === 'done' || kind === 'failed' || kind === 'cancelled' || kind === 'skipped';
}
