import type { BackupStatus } from '../backup/schedule.ts';
import type { Traffic } from '../http/listener.ts';
import type { Changes } from '../services/changes.ts';
import type { Authenticator } from '../services/credentials.ts';
import type { Passwords } from '../services/passwords.ts';
import type { RequestCounts } from './request-counts.ts';
import type { StoreCounts } from './store-counts.ts';
import type { UploadCounts } from './upload-counts.ts';

/** Where what the metrics tell is looked up. */
export interface MetricSources {
  readonly requests: RequestCounts;
  readonly store: StoreCounts;
  readonly uploads: UploadCounts;
  readonly passwords: Passwords;
  readonly authenticator: Authenticator;
  readonly changes: Changes;
  /** Rejects where it is not. */
  readonly isReady: () => Promise<void>;
  readonly sequence: () => Promise<number>;
  /** Undefined where nothing lies on a disk of this machine. */
  readonly freeBytes: () => number | undefined;
  readonly minFreeBytes: number;
  /** Of scheduled backups; undefined where there are none. */
  readonly backups: () => BackupStatus | undefined;
  /** Of all listeners. */
  readonly traffic: () => Traffic;
  readonly sockets: () => number;
}

/**
 * Resolves with Prometheus' text. prom-client is loaded for the first one: it would take a tenth of the
 * time to start.
 */
export function createMetrics(sources: MetricSources): () => Promise<string> {
  let exposition: Promise<() => Promise<string>> | undefined;
  return async () => {
    exposition ??= import('./exposition.ts').then(({ createExposition }) =>
      createExposition(sources),
    );
    return (await exposition)();
  };
}
