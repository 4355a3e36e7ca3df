import { S3Error } from './s3-error.ts';

/** Objects have one version, whose name is `null` as in a bucket that never had versioning. */
export const NULL_VERSION = 'null';

/** Throws S3Error NoSuchVersion for another. */
export function checkVersionId(versionId: string | undefined, key: string): void {
  if (versionId === undefined || versionId === NULL_VERSION) return;
  throw new S3Error('NoSuchVersion', {
    extra: [
      ['Key', key],
      ['VersionId', versionId],
    ],
  });
}
