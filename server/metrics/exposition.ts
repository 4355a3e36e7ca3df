import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { version } from '../version.ts';
import { histogramText } from './histogram.ts';
import type { MetricSources } from './metrics.ts';

/** Prometheus gives up after 10 s. */
const PATIENCE_MS = 2_000;

/**
 * Every metric, as Prometheus reads it. All is counted elsewhere, in plain numbers, and looked up when
 * somebody asks.
 */
export function createExposition(sources: MetricSources): () => Promise<string> {
  const { requests, store, uploads, passwords, authenticator } = sources;
  const registry = new Registry();

  const gauge = (name: string, help: string, read: () => Reading): void => {
    const own = new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const value = await read();
        if (value === undefined) own.remove();
        else own.set(value);
      },
    });
  };
  const counter = <T extends string>(
    name: string,
    help: string,
    read: () => number | Readonly<Record<T, number>>,
    label?: string,
  ): void => {
    const own = new Counter<string>({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [registry],
      collect() {
        own.reset();
        const value = read();
        if (typeof value === 'number') own.inc(value);
        else {
          for (const [key, count] of Object.entries<number>(value)) {
            own.inc({ [label ?? '']: key }, count);
          }
        }
      },
    });
  };

  new Gauge({
    name: 'keystow_build_info',
    help: 'Always 1: the version that runs.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
  gauge('keystow_ready', 'Whether /api/health?ready answers 200.', () =>
    soon(
      sources.isReady().then(() => 1),
      0,
    ),
  );
  gauge('keystow_store_sequence', 'Number of the last write on disk.', () =>
    soon(sources.sequence(), undefined),
  );
  gauge('keystow_disk_free_bytes', 'Free space where data lies, as last seen.', sources.freeBytes);
  gauge('keystow_disk_min_free_bytes', 'MIN_FREE_BYTES: below it writes are refused.', () =>
    sources.freeBytes() === undefined ? undefined : sources.minFreeBytes,
  );

  gauge(
    'keystow_backup_last_success_timestamp_seconds',
    'When the last scheduled backup that this node made was taken; absent before the first.',
    () => {
      const at = sources.backups()?.lastSuccess?.at;
      return at === undefined ? undefined : at / 1_000;
    },
  );
  gauge(
    'keystow_backup_last_duration_seconds',
    'How long that one took, until it was read back.',
    () => sources.backups()?.lastSuccess?.seconds,
  );
  counter(
    'keystow_backup_failures_total',
    'Scheduled backups of this node that failed.',
    () => sources.backups()?.failures ?? 0,
  );

  gauge('keystow_commits_under_way', 'Commits that wait for the disk.', () => store.underWay);
  counter(
    'keystow_commits_total',
    'Commits by what came of them.',
    () => store.outcomes,
    'outcome',
  );

  counter(
    'keystow_uploads_total',
    'Bytes of objects, and parts, that were received, by what came of them.',
    () => ({ received: uploads.received, failed: uploads.failed }),
    'outcome',
  );
  counter(
    'keystow_upload_bytes_total',
    'Bytes of objects, and parts, that were received whole.',
    () => uploads.bytes,
  );
  gauge('keystow_uploads_under_way', 'Uploads that are arriving.', () => uploads.underWay);

  counter(
    'keystow_credential_cache_total',
    'Credentials that were looked up in the cache of verified ones.',
    () => {
      const { hits, misses } = authenticator.cacheUse();
      return { hit: hits, miss: misses };
    },
    'result',
  );
  gauge(
    'keystow_credential_cache_entries',
    'Verified credentials that are kept.',
    () => authenticator.cacheUse().size,
  );
  gauge(
    'keystow_passwords_waiting',
    'Passwords that wait for bcrypt.',
    () => passwords.load().waiting,
  );
  gauge(
    'keystow_passwords_under_way',
    'Passwords that bcrypt is at work on.',
    () => passwords.load().underWay,
  );

  gauge('keystow_connections', 'Open connections.', () => sources.traffic().connections);
  counter(
    'keystow_traffic_bytes_total',
    'Bytes of all connections, TLS and headers among them.',
    () => {
      const { received, sent } = sources.traffic();
      return { in: received, out: sent };
    },
    'direction',
  );
  gauge(
    'keystow_feeds',
    'Feeds of changes under way: streams, long polls and watches.',
    () => sources.changes.state().feeds,
  );
  gauge('keystow_feed_lag', 'Changes that the feed furthest behind has yet to see.', async () => {
    const { furthestBehind } = sources.changes.state();
    if (furthestBehind === undefined) return 0;
    const head = await soon(sources.sequence(), undefined);
    return head === undefined ? undefined : Math.max(0, head - furthestBehind);
  });
  gauge('keystow_sockets', 'Socket.IO clients that are connected.', sources.sockets);

  return async () =>
    [
      histogramText(
        'keystow_request_duration_seconds',
        'Requests, and envelopes, until the whole answer was out.',
        requests.series(),
      ),
      ...(
        [
          ['keystow_commit_duration_seconds', 'Commits, from the call to the answer.', 'duration'],
          [
            'keystow_batch_duration_seconds',
            'Batches of commits, written and synced.',
            'batchDuration',
          ],
          ['keystow_batch_commits', 'Commits that share a batch, and its sync.', 'batchCommits'],
          ['keystow_batch_bytes', 'Bytes of a batch.', 'batchBytes'],
        ] as const
      ).map(([name, help, member]) =>
        histogramText(name, help, [{ labels: {}, histogram: store[member] }]),
      ),
      await registry.metrics(),
      await processMetrics().metrics(),
    ].join('\n');
}

/** While a database is away, all the other metrics are what one wants to see. */
async function soon<T, E>(work: Promise<T>, otherwise: E): Promise<T | E> {
  const late = sleep(PATIENCE_MS, otherwise, { ref: false });
  return Promise.race([work.catch(() => otherwise), late]);
}

type Reading = number | undefined | Promise<number | undefined>;

let ofProcess: Registry | undefined;

/** Several servers in one process, as in tests, have these in common. */
function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
