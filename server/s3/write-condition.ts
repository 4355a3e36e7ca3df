import { conditionFailed, listsEtag, type Validators } from './conditional-request.ts';
import { noSuchKey, S3Error } from './s3-error.ts';

/** What a write relies on: undefined where it relies on nothing. */
export type WriteCondition = (current: Validators | undefined) => void;

/** Only directory buckets have these: S3 refuses them elsewhere, with NotImplemented. */
const DIRECTORY_CONDITIONS = ['x-amz-if-match-last-modified-time', 'x-amz-if-match-size'];

/**
 * `If-Match` and `If-None-Match: *` of a write. The condition throws S3Error PreconditionFailed, or
 * NoSuchKey where `If-Match` finds no object; `get` finds a header by its name in lower case.
 * Throws S3Error NotImplemented for other values of `If-None-Match`, and for both, as S3 does.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function parseWriteCondition(
  get: (name: string) => string | undefined,
  key: string,
): WriteCondition | undefined {
  for (const name of DIRECTORY_CONDITIONS) {
    if (get(name) !== undefined) throw new S3Error('NotImplemented', { extra: [['Header', name]] });
  }
  const match = get('if-match');
  const noneMatch = get('if-none-match')?.trim();
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw new S3Error('NotImplemented', {
      message: 'If-None-Match of a write is * or absent.',
      extra: [['Header', 'If-None-Match']],
    });
  }
  if (match !== undefined && noneMatch !== undefined) {
    throw new S3Error('NotImplemented', {
      message: 'If-Match and If-None-Match of one write exclude each other.',
      extra: [['Header', 'If-None-Match']],
    });
  }
  if (match === undefined && noneMatch === undefined) return undefined;
  return (current) => {
    if (noneMatch !== undefined && current) throw conditionFailed('If-None-Match');
    if (match === undefined) return;
    if (!current) throw noSuchKey(key);
    if (!listsEtag(match, current.etag)) throw conditionFailed('If-Match');
  };
}
