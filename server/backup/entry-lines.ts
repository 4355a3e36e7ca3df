import { isUtf8 } from 'node:buffer';
import type { KvEntry } from '../stores/kv-store.ts';
import { BackupError } from './backup-error.ts';

/** An entry as a line of JSON: its value is `text` where it is UTF-8, else `base64`. */

export function toEntryLine({ key, version, value }: KvEntry): string {
  const stored = isUtf8(value) ? { text: value.toString() } : { base64: value.toString('base64') };
  return `${JSON.stringify({ key, version, ...stored })}\n`;
}

/** An entry as it lies in a line: the value is not decoded yet. */
interface EntryLine {
  readonly key: string;
  readonly version: number;
  readonly stored: string;
  readonly encoding: 'utf8' | 'base64';
}

/** Throws BackupError for what `toEntryLine` does not write. */
export function parseEntryLine(line: string): EntryLine {
  try {
    const { key, version, text, base64 }: Record<string, unknown> = Object(JSON.parse(line));
    if (typeof key === 'string' && Number.isSafeInteger(version)) {
      const entry = { key, version: Number(version) };
      if (typeof text === 'string') return { ...entry, stored: text, encoding: 'utf8' };
      if (typeof base64 === 'string') return { ...entry, stored: base64, encoding: 'base64' };
    }
  } catch {
    // Not even JSON.
  }
  throw new BackupError('A line of the backup is no entry: use another backup.');
}

export function toEntry({ key, version, stored, encoding }: EntryLine): KvEntry {
  return { key, version, value: Buffer.from(stored, encoding) };
}

export function valueBytes({ stored, encoding }: EntryLine): number {
  return Buffer.byteLength(stored, encoding);
}

const NEWLINE = 0x0a;
/** How the lines begin whose entries may refer to a blob: the key comes first. */
export const BLOB_OWNERS = ['object/', 'part/'].map((prefix) => Buffer.from(`{"key":"${prefix}`));

/**
 * The lines of a file, one after another (of all at once the garbage would be as large as the file); or only those that
 * begin with one of these.
 */
export function* linesOf(bytes: Buffer, begins?: readonly Buffer[]): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at);
    // Its checksum says that the file is whole, so its last line has an end.
    if (end < 0) throw new BackupError('A line of the backup has no end: use another backup.');
    const isWanted = begins?.some(
      (begin) => bytes.compare(begin, 0, begin.length, at, Math.min(at + begin.length, end)) === 0,
    );
    if (isWanted !== false) yield bytes.toString('utf8', at, end);
    at = end + 1;
  }
}
