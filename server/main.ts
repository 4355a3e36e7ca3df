import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { PARTS_GRACE_MS, UPLOAD_SWEEP_MS } from '../shared/limits.ts';
import { type AppServices, createApp } from './app.ts';
import { type BackupSchedule, scheduleBackups } from './backup/schedule.ts';
import { type Config, ConfigError } from './config.ts';
import { createDiskSpace } from './disk-space.ts';
import {
  checkAnonymousSigning,
  ensureAccessKey,
  ensureAdmin,
  ensureBuckets,
} from './first-start.ts';
import { createListener, type Traffic } from './http/listener.ts';
import { hostOf } from './http/origin.ts';
import { plainForms } from './http/plain-forms.ts';
import { plainRequests } from './http/plain-requests.ts';
import { documentOperations } from './http/routes/documents.ts';
import { postObject } from './http/routes/uploads.ts';
import { createS3Callers } from './http/s3-caller.ts';
import { type Address, type Listening, startListening, stopListening } from './listening.ts';
import { openSecretBox } from './master-key.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createRequestCounts } from './metrics/request-counts.ts';
import { createStoreCounts } from './metrics/store-counts.ts';
import { createUploadCounts } from './metrics/upload-counts.ts';
import { openBlobStore, openStore } from './open-stores.ts';
import { createReadiness } from './readiness.ts';
import { bucketOfHost } from './s3/host-bucket.ts';
import { ACCESS_KEY_PREFIX } from './services/access-key-records.ts';
import { createAccessKeys } from './services/access-keys.ts';
import { createLocalLease, createSharedLease } from './services/backup-lease.ts';
import { createBackups } from './services/backups.ts';
import { createBatches } from './services/batch.ts';
import { BUCKET_PREFIX, createBuckets } from './services/buckets.ts';
import { type Changes, createChanges } from './services/changes.ts';
import { createAuthenticator } from './services/credentials.ts';
import { createDirectUploads, settlingFirst } from './services/direct-uploads.ts';
import { createDocuments } from './services/documents.ts';
import { createHashThreads } from './services/hash-threads.ts';
import { type HeldBlobs, holdBlobs } from './services/held-blobs.ts';
import { createKeyLock } from './services/key-lock.ts';
import { createMultipartUploads } from './services/multipart-uploads.ts';
import { createObjectBytes } from './services/object-bytes.ts';
import { createObjects } from './services/objects.ts';
import { createPasswords } from './services/passwords.ts';
import { createPresignedUrls } from './services/presigned-urls.ts';
import { createSaves } from './services/saves.ts';
import { createSignedForms } from './services/signed-forms.ts';
import { createSweeper } from './services/sweeper.ts';
import { createThrottle } from './services/throttle.ts';
import { createUsers, USER_PREFIX } from './services/users.ts';
import { createBridge } from './socket/bridge.ts';
import { createDispatch } from './socket/dispatch.ts';
import type { BlobStore, DirectBlobStore } from './stores/blob-store.ts';
import { keepEntries } from './stores/kept-entries.ts';
import { type KvStore, MIGRATION_KEY } from './stores/kv-store.ts';
import { guardBlobs, guardStore } from './stores/space-guard.ts';
import { loadTls } from './tls.ts';
import { version } from './version.ts';

/** The composition root: the one place that knows all the parts. */

export interface RunningServer {
  /** One per listener, such as `https://localhost:6375`. */
  readonly urls: readonly string[];
  /** Stops accepting, finishes what is in flight (10 s at most) and closes the store. */
  close(): Promise<void>;
}

/** What tests put in the place of the real thing. */
export interface Overrides {
  readonly openStore?: typeof openStore;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** The names of uploads whose form names none. */
  readonly newId?: () => string;
  /** Of change feeds, in milliseconds. */
  readonly heartbeatMs?: number;
  readonly slowReaderMs?: number;
  /** The free bytes of the disk that a folder lies on. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/**
 * Starts everything; `print` takes the lines that a person waits for. Rejects with an error whose
 * message says what to change, and leaves nothing open.
 */
export async function startServer(
  config: Config,
  log: Logger,
  print: (line: string) => void,
  overrides: Overrides = {},
): Promise<RunningServer> {
  const tls = config.tls && (await loadTls(config.tls, (message) => log.warn(message)));
  const now = overrides.now ?? Date.now;
  const isShared = config.store !== 'level';
  const isOwnFolder = config.blobs === 'file';
  const { minFreeBytes } = config;
  const space = createDiskSpace({
    folders: [
      ...(isShared ? [] : [config.dataDir]),
      ...(isOwnFolder ? [join(config.dataDir, 'blobs')] : []),
    ],
    minFreeBytes,
    log,
    look: overrides.freeBytes,
  });
  const readiness = createReadiness({ space, sequence: () => store.sequence() });
  const counts = {
    requests: createRequestCounts(),
    store: createStoreCounts(),
    uploads: createUploadCounts(),
  };
  const opened = await (overrides.openStore ?? openStore)(config, log, {
    onFailed: readiness.storeFailed,
    onBatch: counts.store.onBatch,
  });
  // Nobody else writes to an embedded store.
  const kept = isShared
    ? opened
    : keepEntries(opened, [USER_PREFIX, ACCESS_KEY_PREFIX, BUCKET_PREFIX]);
  const store = counts.store.count(guardStore(readiness.watchStore(kept), space));
  const passwords = createPasswords(config.bcryptCost);
  const threads = createHashThreads();
  const listening: Listening[] = [];
  let sweeping: NodeJS.Timeout | undefined;
  let changes: Changes | undefined;
  let held: HeldBlobs | undefined;
  let schedule: BackupSchedule | undefined;

  async function close(): Promise<void> {
    readiness.stopping();
    space.close();
    clearInterval(sweeping);
    changes?.close();
    await schedule?.close();
    await Promise.all(listening.map((open) => stopListening(open, log)));
    held?.close();
    await passwords.close();
    await threads.close();
    await store.close();
  }

  try {
    await checkMigrated(store);
    const users = createUsers(store, passwords);
    const secretBox = await openSecretBox(config, store);
    const accessKeys = createAccessKeys({ store, users, secretBox, now });
    const buckets = createBuckets(store, now);
    const blobStore = await openBlobStore(config, now);
    const blobs = isOwnFolder ? guardBlobs(readiness.watchBlobs(blobStore), space) : blobStore;
    const lease = isShared ? createSharedLease({ store, log, now }) : createLocalLease();
    held = holdBlobs({ blobs, lease, log });
    const bytes = createObjectBytes({
      store,
      blobs: held,
      threads,
      log,
      now,
      graceMs: isShared ? PARTS_GRACE_MS : 0,
    });
    const objectBytes = counts.uploads.count(bytes);
    const stored = createObjects({ store, objectBytes, buckets, log, now });
    const direct = isDirect(blobs, config)
      ? createDirectUploads({ store, blobs, buckets, objects: stored, users, log, now })
      : undefined;
    const backups = createBackups({ store, blobs: held, lease, direct, now });
    const objects = direct ? settlingFirst(stored, direct) : stored;
    const uploads = createMultipartUploads({ store, buckets, objects, objectBytes, now });
    const saves = createSaves({ store, buckets, objects });
    const signedForms = createSignedForms({
      accessKeys,
      buckets,
      objects,
      direct,
      secretBox,
      uploadBucket: config.uploadBucket,
      submitBucket: config.submitBucket,
      maxUploadBytes: config.maxUploadBytes,
      submitMaxBytes: config.submitMaxBytes,
      region: config.region,
      anonymousKeyId: config.accessKey?.accessKeyId,
      now,
      newId: overrides.newId ?? randomUUID,
    });
    await ensureAdmin(config, users, passwords, print);
    await ensureAccessKey(config, accessKeys);
    checkAnonymousSigning(config, (message) => log.warn(message));
    await ensureBuckets(config, buckets);
    const sweep = createSweeper({ store, uploads, objectBytes, direct, log, now });
    // In a folder of one's own all that is nobody's now was left by a crash.
    if (isOwnFolder) await sweep.everything();
    else void sweep.leased();
    sweeping = setInterval(isOwnFolder ? sweep.uploads : sweep.leased, UPLOAD_SWEEP_MS).unref();
    // Only now: a server with a full disk starts, and reads go on.
    await space.watch();
    if (isShared && isOwnFolder) {
      log.warn('BLOBS is file: large objects are on this machine alone, so this is the only node');
    }
    const publicHost = config.publicUrl && new URL(config.publicUrl).hostname;
    const bucketOf = (host: string) => bucketOfHost(host, config.s3Domains, publicHost);
    const isBucketHost = (host: string) => bucketOf(host) !== undefined;
    const { maxDocumentBytes, corsOrigins, trustProxy } = config;
    const authenticator = createAuthenticator({
      users,
      passwords,
      throttle: createThrottle(),
      isShared,
      now,
    });
    const documentLock = createKeyLock();
    changes = createChanges({ store, users, heartbeatMs: overrides.heartbeatMs });
    const operations = documentOperations(
      createDocuments(store, { maxDocumentBytes }, documentLock),
      maxDocumentBytes,
    );
    const traffic = (): Traffic => sumOf(listening.map(({ listener }) => listener.traffic()));
    const metrics = createMetrics({
      ...counts,
      passwords,
      authenticator,
      changes,
      isReady: readiness.check,
      sequence: () => store.sequence(),
      freeBytes: space.freeBytes,
      minFreeBytes,
      backups: () => schedule?.status,
      traffic,
      sockets: () => listening.reduce((sum, { listener }) => sum + listener.attached.sockets(), 0),
    });
    const { requests: meter } = counts;
    const services: AppServices = {
      authenticator,
      documentOperations: operations,
      batches: createBatches(store, { maxDocumentBytes }, documentLock),
      maxDocumentBytes,
      changes,
      slowReaderMs: overrides.slowReaderMs,
      users,
      backups,
      accessKeys,
      buckets,
      objects,
      uploads,
      presignedUrls: createPresignedUrls({ accessKeys, buckets, region: config.region, now }),
      saves,
      signedForms,
      log,
      now,
      maxUploadBytes: config.maxUploadBytes,
      bucketOfHost: bucketOf,
      publicUrl: config.publicUrl,
      checkReady: readiness.check,
      meter,
      metrics,
      metricsToken: config.metricsToken,
      region: config.region,
      anonymousSigning: config.anonymousSigning,
      corsOrigins,
      trustProxy,
    };
    const app = createApp(services);
    const viaKoa = app.callback();
    const post = postObject({ ...services, callers: createS3Callers(services) });
    const plainForm = plainForms({ post, buckets, log, meter, bucketOfHost: bucketOf, trustProxy });
    const plain = plainRequests({
      operations,
      authenticator,
      log,
      meter,
      bucketOfHost: bucketOf,
      corsOrigins,
      trustProxy,
    });
    const bridgeOptions = {
      dispatch: createDispatch({ app, operations, authenticator, log, meter }),
      changes,
      slowReaderMs: overrides.slowReaderMs,
      authenticator,
      log,
      meter,
      maxDocumentBytes,
      corsOrigins,
      allowEIO3: config.socketEio3,
      trustProxy,
      isBucketHost,
    };

    const addListener = async (
      secure: SecureContextOptions | undefined,
      address: Omit<Address, 'scheme'>,
    ): Promise<void> => {
      const listener = createListener({
        handle: (req, res) => plain(req, res) ?? plainForm(req, res) ?? viaKoa(req, res),
        tls: secure,
        log,
        meter,
        attach: (server) => createBridge(server, bridgeOptions),
        isOwnHost: (req) => isBucketHost(hostOf(req, trustProxy)),
      });
      const scheme = secure ? 'https' : 'http';
      listening.push(await startListening(listener, { ...address, scheme }));
    };
    await addListener(tls, { setting: 'PORT', port: config.port, host: config.host });
    if (config.httpPort !== undefined) {
      const { httpPort: port, httpHost: host } = config;
      await addListener(undefined, { setting: 'HTTP_PORT', port, host });
    }
    schedule =
      config.backups &&
      scheduleBackups({
        ...config.backups,
        minFreeBytes,
        backups,
        shared: isShared ? store : undefined,
        log,
        now,
      });
    log.info({ version, urls: listening.map(({ url }) => url) }, 'started');
    return { urls: listening.map(({ url }) => url), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function isDirect(blobs: BlobStore, { directUploads }: Config): blobs is DirectBlobStore {
  return directUploads && 'form' in blobs;
}

function sumOf(all: readonly Traffic[]): Traffic {
  const sum = { connections: 0, received: 0, sent: 0 };
  for (const { connections, received, sent } of all) {
    sum.connections += connections;
    sum.received += received;
    sum.sent += sent;
  }
  return sum;
}

/** What is half copied is not served: what is missing would be missed, and what is new overwritten. */
async function checkMigrated(store: KvStore): Promise<void> {
  if ((await store.get(MIGRATION_KEY)) === undefined) return;
  throw new ConfigError(
    'Another store, or a backup, is being copied into this one: let `keystow migrate` or `keystow restore` finish first.',
  );
}
