import { isUtf8 } from 'node:buffer';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_DOCUMENT_DEPTH, MAX_KEY_BYTES } from '../../shared/limits.ts';
import { jsonDepth } from '../json/lossless.ts';

/** What a document and its key may be. All of these throw `bad-request`. */

/** The text of bytes that are valid JSON: an object or an array, nested no deeper than allowed. */
export function parseDocumentText(bytes: Buffer): string {
  const { text, value } = parseJsonText(bytes);
  if (typeof value !== 'object' || value === null) {
    throw new KeystowError('bad-request', 'A document is a JSON object or array.');
  }
  return text;
}

/** The text and the value of bytes that are valid JSON of any kind. */
export function parseJsonText(
  bytes: Buffer,
  maxDepth = MAX_DOCUMENT_DEPTH,
): { text: string; value: unknown } {
  if (!isUtf8(bytes)) throw new KeystowError('bad-request', 'The body is not valid UTF-8.');
  const text = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KeystowError('bad-request', `The body is not valid JSON: ${reason}.`);
  }
  if (jsonDepth(text) > maxDepth) {
    throw new KeystowError('bad-request', `The body is nested deeper than ${maxDepth} levels.`);
  }
  return { text, value };
}

export function checkDocumentKey(key: string): void {
  if (key === '' || Buffer.byteLength(key) > MAX_KEY_BYTES || key.includes('\0')) {
    throw new KeystowError(
      'bad-request',
      `A key has 1 to ${MAX_KEY_BYTES} bytes of UTF-8, none of them NUL.`,
    );
  }
}
