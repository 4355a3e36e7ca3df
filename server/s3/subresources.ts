/**
 * Parameters of a query that turn a request into another operation than its method and path name. Those
 * that Keystow does not offer are answered NotImplemented, never as if they were not there.
 */
const SUBRESOURCES = new Set(
  'abac accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging metadataConfiguration metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session tagging torrent uploadId uploads versioning versions website'.split(
    ' ',
  ),
);

/** The first such parameter. */
export function subresourceOf(names: Iterable<string>): string | undefined {
  for (const name of names) if (SUBRESOURCES.has(name)) return name;
  return undefined;
}
