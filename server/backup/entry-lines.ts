import { isUtf8 } from 'node:buffer';
import type { KvEntry } from '../stores/kv-store.ts';
import { BackupError } from './backup-error.ts';

/** An entry as a line of JSON: its value is `text` where it is UTF-8, else `base64`. */

export function toEntryLine({ key, version, value }: KvEntry): string {
  const stored = isUtf8(value) ? { text: value.toString() } : { base64: value.toString('base64') };
  return `${JSON.stringify({ key, version, ...stored })}\n`;
}

/** Throws BackupError for what `toEntryLine` does not write. */
export function parseEntryLine(line: string): KvEntry {
  try {
    const { key, version, text, base64 }: Record<string, unknown> = Object(JSON.parse(line));
    if (typeof key === 'string' && Number.isSafeInteger(version)) {
      if (typeof text === 'string')
        return { key, version: Number(version), value: Buffer.from(text) };
      if (typeof base64 === 'string') {
        return { key, version: Number(version), value: Buffer.from(base64, 'base64') };
      }
    }
  } catch {
    // Not even JSON.
  }
  throw new BackupError('A line of the backup is no entry: use another backup.');
}
