import { invalidArgument, S3Error } from './s3-error.ts';
import { type ByteText, bytesToShownText, bytesToText, queryParameters } from './uri-encoding.ts';
import { checkMembers, childOf, childrenOf, readRoot, requiredTextOf } from './xml-element.ts';
import { S3_NAMESPACE } from './xml-namespace.ts';
import { readXml, type XmlElement } from './xml-reader.ts';
import { XML_DECLARATION, xmlElement } from './xml-text.ts';

export type ObjectTag = readonly [key: string, value: string];

/** S3's limits for the tags of one object. */
const MAX_TAGS = 10;
const MAX_TAG_KEY_CHARS = 128;
const MAX_TAG_VALUE_CHARS = 256;

const allowedChars = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * The tags of a form's `tagging`. A well-formed document of another kind has none, as on S3.
 * Throws S3Error MalformedXML, InvalidTag for a tag that S3 would not take, BadRequest for too many.
 */
export function parseTagging(xml: string): ObjectTag[] {
  const root = readXml(xml);
  if (root.name !== 'Tagging') return [];
  return checkTags(childrenOf(root, 'TagSet').flatMap(tagsOf));
}

/** The tags of the body of PutObjectTagging, which must be one. Throws as `parseTagging` does. */
export function parseTaggingDocument(xml: string): ObjectTag[] {
  const root = readRoot(xml, 'Tagging');
  checkMembers(root, ['TagSet']);
  const set = childOf(root, 'TagSet');
  checkMembers(set, ['Tag']);
  return checkTags(tagsOf(set));
}

/**
 * The tags of the header `x-amz-tagging`: `k1=v1&k2=v2`, encoded as a query is. Throws S3Error
 * InvalidArgument for another encoding and for a repeated key, InvalidTag and BadRequest as
 * `parseTagging` does.
 */
export function parseTaggingHeader(query: ByteText): ObjectTag[] {
  if (/%(?![0-9a-f]{2})/i.test(query)) throw invalidHeader(query);
  const tags = queryParameters(query).map(([name, value]): ObjectTag => {
    const [key, text] = [bytesToText(name), bytesToText(value)];
    if (key === undefined || key === '' || text === undefined) throw invalidHeader(query);
    return [key, text];
  });
  if (new Set(tags.map(([key]) => key)).size < tags.length) throw invalidHeader(query);
  return checkTags(tags);
}

/** The body of GetObjectTagging. */
export function taggingXml(tags: readonly ObjectTag[]): string {
  const tagsXml = tags.map(
    ([key, value]) => `<Tag>${xmlElement('Key', key)}${xmlElement('Value', value)}</Tag>`,
  );
  return `${XML_DECLARATION}<Tagging xmlns="${S3_NAMESPACE}"><TagSet>${tagsXml.join('')}</TagSet></Tagging>`;
}

function tagsOf(set: XmlElement): ObjectTag[] {
  return childrenOf(set, 'Tag').map((tag) => [
    requiredTextOf(tag, 'Key'),
    requiredTextOf(tag, 'Value'),
  ]);
}

function checkTags(tags: ObjectTag[]): ObjectTag[] {
  if (tags.length > MAX_TAGS) {
    throw new S3Error('BadRequest', { message: `Object tags cannot be greater than ${MAX_TAGS}` });
  }
  const keys = new Set<string>();
  for (const [key, value] of tags) {
    if (key === '' || [...key].length > MAX_TAG_KEY_CHARS || !allowedChars.test(key)) {
      throw invalidTag('The TagKey you have provided is invalid', key);
    }
    if ([...value].length > MAX_TAG_VALUE_CHARS || !allowedChars.test(value)) {
      throw invalidTag('The TagValue you have provided is invalid', key, value);
    }
    if (keys.has(key)) throw invalidTag('Cannot provide multiple Tags with the same key', key);
    keys.add(key);
  }
  return tags;
}

function invalidHeader(query: ByteText): S3Error {
  return invalidArgument(
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    'x-amz-tagging',
    bytesToShownText(query),
  );
}

function invalidTag(message: string, key: string, value?: string): S3Error {
  return new S3Error('InvalidTag', {
    message,
    extra:
      value === undefined
        ? [['TagKey', key]]
        : [
            ['TagKey', key],
            ['TagValue', value],
          ],
  });
}
