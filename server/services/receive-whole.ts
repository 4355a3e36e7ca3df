import { hash } from 'node:crypto';
import { checkSize } from '../s3/check-post-policy.ts';
import { checksumOf } from '../s3/checksum.ts';
import { checkChecksums } from '../s3/expected-checksums.ts';
import { type NewBytes, newPieceId, putBytes } from './byte-places.ts';
import type { ByteDemands } from './receive-bytes.ts';

/**
 * What receiveBytes does, for bytes that are all there and few enough to lie beside their index entry.
 * Throws as it rejects.
 */
export function receiveWhole(bytes: Buffer, demands: ByteDemands): NewBytes {
  const { ranges, expected, trailer } = demands;
  checkSize(ranges, bytes.length);
  const etag = hash('md5', bytes);
  const algorithm = expected.checksum?.algorithm ?? demands.algorithm;
  const checksum = algorithm && { algorithm, value: checksumOf(algorithm, bytes) };
  const calculated = {
    md5: Buffer.from(etag, 'hex').toString('base64'),
    checksum: checksum?.value,
  };
  checkChecksums(expected, calculated);
  if (trailer) checkChecksums(trailer(), calculated);
  const place = { id: newPieceId(), isInline: true };
  return {
    etag,
    size: bytes.length,
    checksum,
    place,
    checks: [],
    mutations: [putBytes(place, bytes)],
  };
}
