import { createHash } from 'node:crypto';

/** Size of every document of the bench, in bytes. */
export const DOCUMENT_BYTES = 190;
/** Keys in the first page that the lists measure asks for. */
export const PAGE_KEYS = 100;

// Stores that compress would win by repeated padding, so every document gets its own stretch of text.
const noise = Array.from({ length: 1_500 }, (_, index) =>
  createHash('sha256').update(String(index)).digest('base64url'),
).join('');

/** The key with this number: all keys of one prefix have one length, so byte order is their order. */
export function documentKey(prefix: string, number: number): string {
  return `${prefix}-${String(number).padStart(8, '0')}`;
}

/** The keys 0 to `count` - 1 of a prefix, in byte order. */
export function documentKeys(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => documentKey(prefix, number));
}

/** A JSON object of exactly so many bytes, always the same one for a key. */
export function documentText(key: string, bytes = DOCUMENT_BYTES): string {
  const start = `{"id":"${key}","text":"`;
  const length = bytes - start.length - 2;
  const offset = (Number(key.slice(-8)) * 61) % noise.length;
  const text = noise.slice(offset, offset + length).padEnd(length, noise);
  return `${start}${text}"}`;
}

/** Keys of a prefix that were never given out before, for creates. */
export function freshKeys(prefix: string): () => string {
  let next = 0;
  return () => documentKey(prefix, next++);
}

/** One of the keys 0 to `count` - 1 of a prefix, at random. */
export function randomKey(prefix: string, count: number): string {
  return documentKey(prefix, Math.floor(Math.random() * count));
}
