import { MAX_DELETED_KEYS } from '../../shared/limits.ts';
import { unquoted } from './multipart-xml.ts';
import { S3Error } from './s3-error.ts';
import { childrenOf, readRoot, requiredTextOf, textOf } from './xml-element.ts';
import { S3_NAMESPACE } from './xml-namespace.ts';
import { XML_DECLARATION, xmlElement } from './xml-text.ts';

/** The documents of DeleteObjects. */

export interface WantedDeletion {
  readonly key: string;
  readonly versionId: string | undefined;
  /** The ETag that the object must have, without quotes. */
  readonly etag: string | undefined;
  /** Conditions of directory buckets. */
  readonly lastModified: string | undefined;
  readonly size: string | undefined;
}

export type Deletion = Pick<WantedDeletion, 'key' | 'versionId'> & {
  readonly error?: { readonly code: string; readonly message: string } | undefined;
};

/** Throws S3Error MalformedXML, also for no key and for more than 1,000. */
export function parseDeleteObjects(document: string): {
  readonly isQuiet: boolean;
  readonly wanted: readonly WantedDeletion[];
} {
  const root = readRoot(document, 'Delete');
  const objects = childrenOf(root, 'Object');
  if (objects.length === 0 || objects.length > MAX_DELETED_KEYS) throw new S3Error('MalformedXML');
  const wanted = objects.map((object) => {
    const etag = textOf(object, 'ETag');
    return {
      key: requiredTextOf(object, 'Key'),
      versionId: textOf(object, 'VersionId') || undefined,
      etag: etag ? unquoted(etag) : undefined,
      lastModified: textOf(object, 'LastModifiedTime') || undefined,
      size: textOf(object, 'Size') || undefined,
    };
  });
  return { isQuiet: textOf(root, 'Quiet')?.trim().toLowerCase() === 'true', wanted };
}

/** Quiet answers tell only what failed. */
export function deleteResultXml(deletions: readonly Deletion[], isQuiet: boolean): string {
  const members = deletions.map(({ key, versionId, error }) => {
    const names =
      xmlElement('Key', key) + (versionId === undefined ? '' : xmlElement('VersionId', versionId));
    if (error) {
      return `<Error>${names}${xmlElement('Code', error.code)}${xmlElement('Message', error.message)}</Error>`;
    }
    return isQuiet ? '' : `<Deleted>${names}</Deleted>`;
  });
  return `${XML_DECLARATION}<DeleteResult xmlns="${S3_NAMESPACE}">${members.join('')}</DeleteResult>`;
}
