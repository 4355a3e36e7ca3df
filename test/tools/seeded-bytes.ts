import { createCipheriv, createHash } from 'node:crypto';

/** Bytes that look random, do not compress, and are always the same for a seed. */
export function seededBytes(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}
