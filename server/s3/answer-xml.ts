import { type Owner, ownerXml } from './list-xml.ts';
import { S3_NAMESPACE } from './xml-namespace.ts';
import { escapeXml, XML_DECLARATION, xmlElement } from './xml-text.ts';

/** The body of a 201 to a form. S3 gives it no namespace. `etag` comes without its quotes. */
export function postResponseXml(stored: {
  location: string;
  bucket: string;
  key: string;
  etag: string;
}): string {
  const members = [
    xmlElement('Location', stored.location),
    xmlElement('Bucket', stored.bucket),
    xmlElement('Key', stored.key),
    xmlElement('ETag', `"${stored.etag}"`),
  ];
  return `${XML_DECLARATION}<PostResponse>${members.join('')}</PostResponse>`;
}

/** The body of GetBucketLocation: S3's first region has no name there. */
export function locationXml(region: string): string {
  const name = region === 'us-east-1' ? '' : escapeXml(region);
  return `${XML_DECLARATION}<LocationConstraint xmlns="${S3_NAMESPACE}">${name}</LocationConstraint>`;
}

/** The body of GetBucketVersioning of a bucket that never had it: no status at all. */
export function versioningXml(): string {
  return `${XML_DECLARATION}<VersioningConfiguration xmlns="${S3_NAMESPACE}"></VersioningConfiguration>`;
}

/** The body of ListBuckets. */
export function listBucketsXml(
  owner: Owner,
  buckets: readonly { name: string; createdAt: Date }[],
  page: { readonly prefix?: string; readonly continuationToken?: string | undefined } = {},
): string {
  const bucketsXml = buckets.map(
    ({ name, createdAt }) =>
      `<Bucket>${xmlElement('Name', name)}${xmlElement('CreationDate', createdAt.toISOString())}</Bucket>`,
  );
  const { prefix = '', continuationToken } = page;
  const members = [
    ownerXml('Owner', owner),
    `<Buckets>${bucketsXml.join('')}</Buckets>`,
    ...(continuationToken === undefined
      ? []
      : [xmlElement('ContinuationToken', continuationToken)]),
    ...(prefix === '' ? [] : [xmlElement('Prefix', prefix)]),
  ];
  return `${XML_DECLARATION}<ListAllMyBucketsResult xmlns="${S3_NAMESPACE}">${members.join('')}</ListAllMyBucketsResult>`;
}
