/**
 * Parameters of a query that turn a request into another operation than its method and path name,
 * and that Keystow does not offer: answered NotImplemented, never as if they were not there.
 */
const OTHER_OPERATIONS = new Set(
  'abac accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle list-type location logging metrics notification object-lock ownershipControls partNumber policy policyStatus publicAccessBlock renameObject replication requestPayment restore retention select tagging torrent uploadId uploads versionId versioning versions website'.split(
    ' ',
  ),
);

/** The first such parameter. */
export function otherOperation(names: Iterable<string>): string | undefined {
  for (const name of names) if (OTHER_OPERATIONS.has(name)) return name;
  return undefined;
}
