import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BackupError } from './backup-error.ts';

/**
 * What is in a backup: `entries/NNNNNN.ndjson`, `blobs/XX/ID`, `manifest.json`, and `SHA256SUMS` over all but
 * the blobs, whose size and MD5 are in the entries that refer to them. docs/backups.md says it all.
 */

export const MANIFEST = 'manifest.json';
export const SUMS = 'SHA256SUMS';
/** In a stream that ends without a manifest: why. */
export const FAILED = 'FAILED';

/** Raised when an earlier version could no longer read what this one writes. */
const FORMAT_VERSION = 1;

const count = z.int().nonnegative();
const manifestSchema = z.object({
  format: z.literal('keystow-backup'),
  formatVersion: z.int().positive(),
  /** Of the Keystow that made it. */
  keystow: z.string(),
  /** The number of the last write in it. */
  sequence: count,
  takenAt: z.iso.datetime(),
  entries: count,
  documents: count,
  objects: count,
  blobs: count,
  /** Of keys and values, and of blobs. */
  entryBytes: count,
  blobBytes: count,
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Contents = Omit<Manifest, 'format' | 'formatVersion'>;

export function encodeManifest(contents: Contents): Buffer {
  const manifest: Manifest = {
    format: 'keystow-backup',
    formatVersion: FORMAT_VERSION,
    ...contents,
  };
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** Throws BackupError. */
export function parseManifest(bytes: Buffer): Manifest {
  const found = manifestSchema.safeParse(parseJson(bytes));
  if (!found.success) throw new BackupError(`${MANIFEST} is not that of a backup of Keystow.`);
  const { formatVersion, keystow } = found.data;
  if (formatVersion <= FORMAT_VERSION) return found.data;
  throw new BackupError(
    `The backup was made by a newer Keystow (${keystow}): restore it with that version.`,
  );
}

export function entriesName(number: number): string {
  return `entries/${String(number).padStart(6, '0')}.ndjson`;
}

export function blobName(id: string): string {
  return `blobs/${id.slice(0, 2)}/${id}`;
}

/** Whether a file of this name may be in a backup: names come from a stream. */
export function isBackupName(name: string): boolean {
  if ([MANIFEST, SUMS, FAILED].includes(name)) return true;
  return /^entries\/\d{6,}\.ndjson$|^blobs\/([0-9a-f]{2})\/\1[0-9a-f]{30}$/.test(name);
}

/** A line of `SHA256SUMS`, as sha256sum(1) writes and checks it. */
export function sumLine(name: string, sha256: string): string {
  return `${sha256}  ${name}\n`;
}

/** The names of files, and their SHA-256 in hex. Throws BackupError where it is not as it was written. */
export function parseSums(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  let number = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const [, sha256 = '', name = ''] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
    number += 1;
    if (name !== entriesName(number) && name !== MANIFEST) throw brokenSums();
    sums.set(name, sha256);
  }
  // The manifest is the last: without it lines are missing.
  if (!text.endsWith(`  ${MANIFEST}\n`) || sums.size !== number) throw brokenSums();
  return sums;
}

export function sha256Of(...chunks: Buffer[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

function brokenSums(): BackupError {
  return new BackupError(`${SUMS} is damaged or cut off: use another backup.`);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
