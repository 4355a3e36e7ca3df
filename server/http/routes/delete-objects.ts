import { MAX_LIST_XML_BYTES } from '../../../shared/limits.ts';
import {
  type Deletion,
  deleteResultXml,
  parseDeleteObjects,
  type WantedDeletion,
} from '../../s3/delete-xml.ts';
import { checkObjectKey } from '../../s3/object-key.ts';
import { S3Error } from '../../s3/s3-error.ts';
import { checkVersionId } from '../../s3/version-id.ts';
import { parseWriteCondition } from '../../s3/write-condition.ts';
import type { StoredBucket } from '../../services/buckets.ts';
import type { Caller } from '../../services/caller.ts';
import { checkMayWrite } from '../../services/object-access.ts';
import type { Objects } from '../../services/objects.ts';
import { sendXml } from '../s3-answer.ts';
import type { S3Callers } from '../s3-caller.ts';
import { expectedOf, readXmlPayload } from '../s3-payload.ts';
import { type S3Operations, storedBucket } from '../s3-requests.ts';

export interface DeleteObjectsOptions {
  readonly callers: S3Callers;
  readonly objects: Objects;
}

/** DeleteObjects: each key is a deletion of its own, and says of itself whether it went well. */
export function deleteObjectsRoutes({ callers, objects }: DeleteObjectsOptions): S3Operations {
  async function remove(
    wanted: WantedDeletion,
    bucket: StoredBucket,
    by: Caller,
  ): Promise<Deletion> {
    const { key, versionId } = wanted;
    const conditions = new Map([
      ['if-match', wanted.etag],
      ['x-amz-if-match-last-modified-time', wanted.lastModified],
      ['x-amz-if-match-size', wanted.size],
    ]);
    try {
      checkObjectKey(key);
      checkMayWrite(by, { bucket: bucket.name, key }, bucket.acl);
      checkVersionId(versionId, key);
      const condition = parseWriteCondition((name) => conditions.get(name), key);
      await objects.remove(bucket.name, key, by, condition);
      return { key, versionId };
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      return { key, versionId, error };
    }
  }

  return {
    'POST ?delete': async (ctx, target) => {
      const { caller, headers, payload } = await callers.ofUpload(ctx, target.hostBucket);
      const bucket = storedBucket(target);
      const expected = expectedOf(headers, payload);
      if (!expected.md5 && !expected.checksum && !payload.trailer) {
        throw new S3Error('InvalidRequest', {
          message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
        });
      }
      const body = await readXmlPayload(payload, expected, MAX_LIST_XML_BYTES);
      const { isQuiet, wanted } = parseDeleteObjects(body);
      const deletions = await Promise.all(wanted.map((key) => remove(key, bucket, caller)));
      sendXml(ctx, 200, deleteResultXml(deletions, isQuiet));
    },
  };
}
