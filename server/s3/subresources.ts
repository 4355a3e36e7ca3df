import { invalidArgument } from './s3-error.ts';

/**
 * Parameters of a query that turn a request into another operation than its method and path name. Those
 * that Keystow does not offer are answered NotImplemented, never as if they were not there.
 */
const SUBRESOURCES = new Set(
  'abac accelerate acl analytics annotation attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging metadataAnnotationTable metadataConfiguration metadataInventoryTable metadataJournalTable metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session tagging torrent uploadId uploads versioning versions website'.split(
    ' ',
  ),
);

/** The one such parameter. Throws S3Error InvalidArgument where there are several, as S3 does. */
export function subresourceOf(names: Iterable<string>): string | undefined {
  const found = [...new Set(names)].filter((name) => SUBRESOURCES.has(name)).sort();
  if (found.length > 1) {
    throw invalidArgument(
      `Conflicting query string parameters: ${found.join(', ')}`,
      'ResourceType',
      found[0] ?? '',
    );
  }
  return found[0];
}
