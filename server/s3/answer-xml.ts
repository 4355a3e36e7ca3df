import { escapeXml, XML_DECLARATION, xmlElement } from './xml-text.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

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
  return `${XML_DECLARATION}<LocationConstraint xmlns="${NAMESPACE}">${name}</LocationConstraint>`;
}

/** The body of ListBuckets. */
export function listBucketsXml(
  owner: { id: string; displayName: string },
  buckets: readonly { name: string; createdAt: Date }[],
): string {
  const ownerXml = xmlElement('ID', owner.id) + xmlElement('DisplayName', owner.displayName);
  const bucketsXml = buckets.map(
    ({ name, createdAt }) =>
      `<Bucket>${xmlElement('Name', name)}${xmlElement('CreationDate', createdAt.toISOString())}</Bucket>`,
  );
  return `${XML_DECLARATION}<ListAllMyBucketsResult xmlns="${NAMESPACE}"><Owner>${ownerXml}</Owner><Buckets>${bucketsXml.join('')}</Buckets></ListAllMyBucketsResult>`;
}
