import { createHash } from 'node:crypto';
import { createChecksum } from './checksum.ts';
import type { ChecksumAlgorithm } from './expected-checksums.ts';

export interface Digests {
  /** In hex. */
  readonly md5: string;
  /** In base64; undefined without an algorithm. */
  readonly checksum: string | undefined;
}

/** All that is calculated of a body, as its bytes arrive. */
export interface BodyDigests {
  update(bytes: Uint8Array): void;
  /** To be called once. */
  digest(): Digests;
}

export function createBodyDigests(algorithm: ChecksumAlgorithm | undefined): BodyDigests {
  const md5 = createHash('md5');
  const checksum = algorithm && createChecksum(algorithm);
  return {
    update(bytes) {
      md5.update(bytes);
      checksum?.update(bytes);
    },
    digest: () => ({ md5: md5.digest('hex'), checksum: checksum?.digest() }),
  };
}
