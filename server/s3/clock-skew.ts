import { S3Error } from './s3-error.ts';
import { isoSeconds } from './timestamps.ts';

/** How far a request's own time may be from the server's, in milliseconds. */
export const MAX_CLOCK_SKEW_MS = 15 * 60_000;

/** Throws S3Error RequestTimeTooSkewed. `sent` is the time as the client wrote it. */
export function checkClockSkew(requestTime: number, now: number, sent: string): void {
  if (Math.abs(now - requestTime) <= MAX_CLOCK_SKEW_MS) return;
  throw new S3Error('RequestTimeTooSkewed', {
    extra: [
      ['RequestTime', sent],
      ['ServerTime', isoSeconds(now)],
      ['MaxAllowedSkewMilliseconds', String(MAX_CLOCK_SKEW_MS)],
    ],
  });
}

/** A request without a time, or with one that cannot be read. */
export function missingDate(): S3Error {
  return new S3Error('AccessDenied', {
    message: 'AWS authentication requires a valid Date or x-amz-date header',
  });
}
