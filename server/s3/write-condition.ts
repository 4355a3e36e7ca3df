import { conditionFailed, listsEtag, type Validators } from './conditional-request.ts';
import { noSuchKey, S3Error } from './s3-error.ts';

/** What a write relies on: undefined where it relies on nothing. */
export type WriteCondition = (current: Validators | undefined) => void;

/**
 * `If-Match` and `If-None-Match: *` of a write. The condition throws S3Error PreconditionFailed, or
 * NoSuchKey where `If-Match` finds no object; `get` finds a header by its name in lower case.
 * Throws S3Error NotImplemented for other values of `If-None-Match`, as S3 does.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function parseWriteCondition(
  get: (name: string) => string | undefined,
  key: string,
): WriteCondition | undefined {
  const match = get('if-match');
  const noneMatch = get('if-none-match')?.trim();
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw new S3Error('NotImplemented', {
      message: 'If-None-Match of a write is * or absent.',
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
