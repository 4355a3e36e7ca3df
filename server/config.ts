import { readFileSync } from 'node:fs';
import {
  DEFAULT_BACKUP_EVERY,
  DEFAULT_BACKUP_KEEP,
  DEFAULT_BCRYPT_COST,
  DEFAULT_CHANGES_KEEP,
  DEFAULT_MAX_DOCUMENT_BYTES,
  DEFAULT_MAX_UPLOAD_BYTES,
  DEFAULT_MIN_FREE_BYTES,
  DEFAULT_SUBMIT_MAX_BYTES,
  MAX_BACKUP_EVERY_MS,
  MIN_BACKUP_EVERY_MS,
} from '../shared/limits.ts';

/** The settings: the only reader of the environment. */

export interface Config {
  readonly port: number;
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  readonly httpPort: number | undefined;
  readonly httpHost: string;
  /** Undefined: the main listener speaks plain HTTP. */
  readonly tls: TlsConfig | undefined;
  readonly dataDir: string;
  /** A `postgres://` URL, or the embedded store in the data directory. */
  readonly store: 'level' | { readonly url: string };
  readonly blobs: 'file' | S3BlobsConfig;
  /** Signed forms lead to the S3-compatible store itself. */
  readonly directUploads: boolean;
  readonly adminUser: string;
  readonly adminPassword: string | undefined;
  /** Of new passwords: 2^cost rounds. */
  readonly bcryptCost: number;
  /** An access key that the admin has from the start. */
  readonly accessKey:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | undefined;
  /** Undefined: kept in a file of the data directory. */
  readonly masterKey: string | undefined;
  /** Signed forms for anybody, with the access key of the settings. */
  readonly anonymousSigning: boolean;
  readonly uploadBucket: string;
  readonly submitBucket: string;
  /** Without a slash at its end; undefined: what the request was sent to. */
  readonly publicUrl: string | undefined;
  /** A Host `BUCKET.DOMAIN` addresses a bucket. */
  readonly s3Domains: readonly string[];
  readonly region: string;
  readonly maxDocumentBytes: number;
  readonly maxUploadBytes: number;
  readonly submitMaxBytes: number;
  readonly changesKeep: number;
  /** Undefined: no scheduled backups. */
  readonly backups:
    | { readonly folder: string; readonly everyMs: number; readonly keep: number }
    | undefined;
  readonly corsOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly socketEio3: boolean;
  /** What who collects metrics may send instead of an admin's password. */
  readonly metricsToken: string | undefined;
  /** Free space of the disk below which nothing more is written, in bytes; 0: never. */
  readonly minFreeBytes: number;
  readonly logLevel: string;
}

/** An S3-compatible store; its credentials come from the AWS SDK's own chain. */
export interface S3BlobsConfig {
  readonly bucket: string;
  /** Undefined for AWS itself. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly forcePathStyle: boolean;
}

export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly passphrase: string | undefined;
}

/** A setting that cannot be used; the message names it and says what it takes. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface Setting {
  /** The environment variable; its flag is the same in kebab case. */
  readonly name: string;
  readonly default?: string;
  readonly description: string;
  /** From the environment or from a file named by `…_FILE`, never from a flag, which others can see. */
  readonly isSecret?: true;
}

export const settings = [
  { name: 'PORT', default: '6375', description: 'port of the main listener; 0 picks a free one' },
  { name: 'HOST', description: 'address of the main listener (default: all interfaces)' },
  { name: 'HTTP_PORT', description: 'port of a second, plain-HTTP listener (default: none)' },
  { name: 'HTTP_HOST', default: '127.0.0.1', description: 'address of that listener' },
  { name: 'TLS', default: 'on', description: 'off: the main listener speaks plain HTTP' },
  {
    name: 'TLS_CERT',
    default: 'certs/server.crt',
    description: 'certificate chain, PEM; made with its key where neither exists',
  },
  { name: 'TLS_KEY', default: 'certs/server.key', description: 'private key, PEM' },
  { name: 'TLS_CA', description: 'further certificates of the chain, PEM' },
  { name: 'TLS_PASSPHRASE', description: 'passphrase of the private key', isSecret: true },
  { name: 'DATA_DIR', default: './data', description: 'folder of everything that is stored' },
  {
    name: 'STORE',
    default: 'level',
    description:
      'where all but large objects is kept: level, or a postgres:// URL (from the environment or STORE_FILE)',
  },
  {
    name: 'BLOBS',
    default: 'file',
    description:
      'where the bytes of large objects are kept: file, or s3://BUCKET?endpoint=…&region=…&forcePathStyle=true',
  },
  {
    name: 'DIRECT_UPLOADS',
    default: 'off',
    description: 'on, with BLOBS=s3://…: signed forms lead to that store, past this server',
  },
  { name: 'ADMIN_USER', default: 'admin', description: 'name of the admin made at first start' },
  {
    name: 'ADMIN_PASSWORD',
    description: 'password of that admin, applied at every start (default: made and printed once)',
    isSecret: true,
  },
  {
    name: 'BCRYPT_COST',
    default: String(DEFAULT_BCRYPT_COST),
    description: 'how slow new passwords are to guess, and to verify: 4 to 15',
  },
  {
    name: 'ACCESS_KEY_ID',
    description: 'an access key that the admin has from the start, with SECRET_ACCESS_KEY',
  },
  { name: 'SECRET_ACCESS_KEY', description: 'the secret of that access key', isSecret: true },
  {
    name: 'MASTER_KEY',
    description:
      'what encrypts the secrets of access keys: 32 bytes as hex or base64 (default: made in DATA_DIR/master.key)',
    isSecret: true,
  },
  {
    name: 'UPLOAD_BUCKET',
    default: 'uploads',
    description: 'where signed forms upload to unless told otherwise; made at first start',
  },
  {
    name: 'SUBMIT_BUCKET',
    default: 'submissions',
    description: 'where submitted files go; made at first start',
  },
  {
    name: 'ANONYMOUS_SIGNING',
    default: 'off',
    description:
      'on: create_signed_url needs no credentials; for a server behind a gateway that asks for them',
  },
  {
    name: 'PUBLIC_URL',
    description:
      'what clients call this server, such as https://saves.example (default: as called)',
  },
  {
    name: 'S3_DOMAINS',
    default: 'localhost,s3.amazonaws.com',
    description: 'domains, separated by commas: a Host BUCKET.DOMAIN addresses a bucket',
  },
  { name: 'REGION', default: 'us-east-1', description: 'region of the buckets and of signatures' },
  {
    name: 'MAX_DOCUMENT_BYTES',
    default: String(DEFAULT_MAX_DOCUMENT_BYTES),
    description: 'largest document',
  },
  {
    name: 'MAX_UPLOAD_BYTES',
    default: String(DEFAULT_MAX_UPLOAD_BYTES),
    description: 'largest object',
  },
  {
    name: 'SUBMIT_MAX_BYTES',
    default: String(DEFAULT_SUBMIT_MAX_BYTES),
    description: 'largest submitted file',
  },
  {
    name: 'CHANGES_KEEP',
    default: String(DEFAULT_CHANGES_KEEP),
    description: 'entries of the change log to keep',
  },
  {
    name: 'BACKUP_DIR',
    description: 'folder that the server writes backups to (default: none are made)',
  },
  {
    name: 'BACKUP_EVERY',
    default: DEFAULT_BACKUP_EVERY,
    description: 'how often, such as 24h, 90m or 7d',
  },
  {
    name: 'BACKUP_KEEP',
    default: String(DEFAULT_BACKUP_KEEP),
    description: 'how many of them to keep',
  },
  {
    name: 'CORS_ORIGINS',
    description: 'origins, separated by commas, whose pages may use the JSON routes and Socket.IO',
  },
  {
    name: 'TRUST_PROXY',
    default: 'off',
    description: 'on: believe X-Forwarded-For, -Proto, -Host',
  },
  {
    name: 'SOCKET_EIO3',
    default: 'off',
    description: 'on: serve Socket.IO 2 clients (Engine.IO 3)',
  },
  {
    name: 'METRICS_TOKEN',
    description: 'a Bearer token that may read /api/metrics, beside admins',
    isSecret: true,
  },
  {
    name: 'MIN_FREE_BYTES',
    default: String(DEFAULT_MIN_FREE_BYTES),
    description: 'free space of the disk below which writes are refused; 0: never',
  },
  {
    name: 'LOG_LEVEL',
    default: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent',
  },
] as const satisfies readonly Setting[];

type SettingName = (typeof settings)[number]['name'];

/** Flags win over the environment; an empty value counts as none. Throws ConfigError. */
export function parseConfig(
  flags: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const text = (name: SettingName): string | undefined => {
    const setting: Setting | undefined = settings.find((known) => known.name === name);
    if (setting?.isSecret) return readSecret(name, env);
    return (flags[name] ?? env[name])?.trim() || setting?.default;
  };
  const required = (name: SettingName): string => text(name) ?? '';
  const httpPort = text('HTTP_PORT');

  return {
    port: parseNumber('PORT', required('PORT'), 0, 65_535),
    host: text('HOST'),
    httpPort: httpPort === undefined ? undefined : parseNumber('HTTP_PORT', httpPort, 0, 65_535),
    httpHost: required('HTTP_HOST'),
    tls: parseSwitch('TLS', required('TLS'))
      ? {
          cert: required('TLS_CERT'),
          key: required('TLS_KEY'),
          ca: text('TLS_CA'),
          passphrase: text('TLS_PASSPHRASE'),
        }
      : undefined,
    dataDir: required('DATA_DIR'),
    store: parseSharedStore(flags['STORE'] ?? readStoreSetting(env), text('MASTER_KEY')),
    blobs: parseBlobs(required('BLOBS')),
    directUploads: parseDirectUploads(required('DIRECT_UPLOADS'), required('BLOBS')),
    adminUser: required('ADMIN_USER'),
    adminPassword: text('ADMIN_PASSWORD'),
    bcryptCost: parseNumber('BCRYPT_COST', required('BCRYPT_COST'), 4, 15),
    accessKey: parseAccessKey(text('ACCESS_KEY_ID'), text('SECRET_ACCESS_KEY')),
    masterKey: text('MASTER_KEY'),
    uploadBucket: required('UPLOAD_BUCKET'),
    submitBucket: required('SUBMIT_BUCKET'),
    publicUrl: parsePublicUrl(text('PUBLIC_URL')),
    s3Domains: parseDomains(required('S3_DOMAINS')),
    region: parseRegion(required('REGION')),
    anonymousSigning: parseSwitch('ANONYMOUS_SIGNING', required('ANONYMOUS_SIGNING')),
    submitMaxBytes: parseNumber('SUBMIT_MAX_BYTES', required('SUBMIT_MAX_BYTES'), 1, 2 ** 43),
    maxUploadBytes: parseNumber('MAX_UPLOAD_BYTES', required('MAX_UPLOAD_BYTES'), 1, 2 ** 43),
    maxDocumentBytes: parseNumber('MAX_DOCUMENT_BYTES', required('MAX_DOCUMENT_BYTES'), 2, 2 ** 28),
    changesKeep: parseNumber('CHANGES_KEEP', required('CHANGES_KEEP'), 1, Number.MAX_SAFE_INTEGER),
    backups: parseBackups(text('BACKUP_DIR'), required('BACKUP_EVERY'), required('BACKUP_KEEP')),
    corsOrigins: parseOrigins(text('CORS_ORIGINS')),
    trustProxy: parseSwitch('TRUST_PROXY', required('TRUST_PROXY')),
    socketEio3: parseSwitch('SOCKET_EIO3', required('SOCKET_EIO3')),
    metricsToken: text('METRICS_TOKEN'),
    minFreeBytes: parseNumber(
      'MIN_FREE_BYTES',
      required('MIN_FREE_BYTES'),
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    logLevel: parseOneOf('LOG_LEVEL', required('LOG_LEVEL'), [
      'trace',
      'debug',
      'info',
      'warn',
      'error',
      'fatal',
      'silent',
    ]),
  };
}

function readSecret(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const file = env[`${name}_FILE`];
  if (!file) return env[name] || undefined;
  if (env[name]) throw new ConfigError(`Give ${name} or ${name}_FILE, not both.`);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch (error) {
    throw new ConfigError(`${name}_FILE cannot be read: ${reasonOf(error)}.`);
  }
}

function parseNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new ConfigError(`${name} is a whole number from ${min} to ${max}, not "${text}".`);
  }
  return value;
}

function parseSwitch(name: string, text: string): boolean {
  return parseOneOf(name, text.toLowerCase(), ['on', 'off']) === 'on';
}

/** What `STORE` or the file that `STORE_FILE` names says. */
export function readStoreSetting(env: Readonly<Record<string, string | undefined>>): string {
  return readSecret('STORE', env) ?? 'level';
}

/** The value is not repeated in an error: the URL may have a password in it. */
export function parseStore(text: string): Config['store'] {
  if (text === 'level') return 'level';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return { url: text };
  throw new ConfigError('STORE is level or a URL such as postgres://USER@HOST/DATABASE.');
}

function parseSharedStore(text: string, masterKey: string | undefined): Config['store'] {
  const store = parseStore(text);
  if (store === 'level' || masterKey !== undefined) return store;
  throw new ConfigError(
    'STORE=postgres://… needs MASTER_KEY, the same on every node: make one with "openssl rand -base64 32".',
  );
}

const BLOB_PARAMETERS = ['endpoint', 'region', 'forcePathStyle'];

/** Throws ConfigError. */
export function parseBlobs(text: string): Config['blobs'] {
  if (text === 'file') return 'file';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const query = url?.searchParams ?? new URLSearchParams();
  const unknown = [...query.keys()].find((name) => !BLOB_PARAMETERS.includes(name));
  if (url?.protocol !== 's3:' || url.hostname === '' || !/^\/?$/.test(url.pathname)) {
    throw new ConfigError('BLOBS is file or s3://BUCKET?endpoint=…&region=…&forcePathStyle=true.');
  }
  if (unknown !== undefined) {
    throw new ConfigError(`BLOBS knows ${BLOB_PARAMETERS.join(', ')}, not "${unknown}".`);
  }
  const endpoint = query.get('endpoint') || undefined;
  if (endpoint !== undefined && !/^https?:\/\/[^/]/.test(endpoint)) {
    throw new ConfigError('The endpoint of BLOBS is a URL such as https://s3.example.');
  }
  return {
    bucket: url.hostname,
    endpoint,
    region: query.get('region') || 'us-east-1',
    forcePathStyle: parseBoolean('forcePathStyle of BLOBS', query.get('forcePathStyle') || 'false'),
  };
}

function parseDirectUploads(text: string, blobs: string): boolean {
  const isOn = parseSwitch('DIRECT_UPLOADS', text);
  if (!isOn || blobs !== 'file') return isOn;
  throw new ConfigError('DIRECT_UPLOADS=on needs a store to upload to: give BLOBS=s3://….');
}

function parseBoolean(name: string, text: string): boolean {
  return parseOneOf(name, text, ['true', 'false']) === 'true';
}

function parseOneOf<T extends string>(name: string, text: string, values: readonly T[]): T {
  const value = values.find((allowed) => allowed === text);
  if (value === undefined) {
    throw new ConfigError(`${name} is ${values.join(' or ')}.`);
  }
  return value;
}

function parseBackups(folder: string | undefined, every: string, keep: string): Config['backups'] {
  const everyMs = parseDuration('BACKUP_EVERY', every, MIN_BACKUP_EVERY_MS, MAX_BACKUP_EVERY_MS);
  const kept = parseNumber('BACKUP_KEEP', keep, 1, 10_000);
  return folder === undefined ? undefined : { folder, everyMs, keep: kept };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** In milliseconds. */
function parseDuration(name: string, text: string, min: number, max: number): number {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms >= min && ms <= max) return ms;
  throw new ConfigError(
    `${name} is a number with s, m, h or d behind it, such as 24h, and from 1s to 366d, not "${text}".`,
  );
}

function parseOrigins(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
    .map((origin) => {
      const parsed = URL.canParse(origin) ? new URL(origin).origin : undefined;
      if (parsed !== origin.replace(/\/$/, '').toLowerCase()) {
        throw new ConfigError(
          `CORS_ORIGINS lists origins such as https://app.example, not "${origin}".`,
        );
      }
      return parsed;
    });
}

function parseAccessKey(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
): Config['accessKey'] {
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError('ACCESS_KEY_ID and SECRET_ACCESS_KEY are given together, or not at all.');
  }
  return { accessKeyId, secretAccessKey };
}

function parsePublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new ConfigError(
      'PUBLIC_URL is what clients call this server, such as https://saves.example.',
    );
  }
  return url.href.replace(/\/+$/, '');
}

function parseDomains(text: string): string[] {
  return text
    .split(',')
    .map((domain) => domain.trim().toLowerCase())
    .filter((domain) => domain !== '')
    .map((domain) => {
      if (/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain)) return domain;
      throw new ConfigError(`S3_DOMAINS lists domains such as s3.example, not "${domain}".`);
    });
}

function parseRegion(text: string): string {
  if (/^[a-z0-9-]{1,64}$/.test(text)) return text;
  throw new ConfigError(`REGION is a name such as us-east-1, not "${text}".`);
}

/** What went wrong with a file, without a stack: `ENOENT: no such file or directory, open '…'`. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
