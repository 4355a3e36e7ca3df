import { S3Error } from './s3-error.ts';
import { readXml, type XmlElement } from './xml-reader.ts';

export type ObjectTag = readonly [key: string, value: string];

/** S3's limits for the tags of one object. */
const MAX_TAGS = 10;
const MAX_TAG_KEY_CHARS = 128;
const MAX_TAG_VALUE_CHARS = 256;

const allowedChars = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * The tags of a `Tagging` document. A well-formed document of another kind has none, as on S3.
 * Throws S3Error MalformedXML, InvalidTag for a tag that S3 would not take, BadRequest for too many.
 */
export function parseTagging(xml: string): ObjectTag[] {
  const root = readXml(xml);
  if (root.name !== 'Tagging') return [];
  const tags = childrenOf(root, 'TagSet')
    .flatMap((set) => childrenOf(set, 'Tag'))
    .map((tag): ObjectTag => [textOf(tag, 'Key'), textOf(tag, 'Value')]);
  checkTags(tags);
  return tags;
}

function checkTags(tags: readonly ObjectTag[]): void {
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
}

function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

function textOf(tag: XmlElement, name: string): string {
  const [child, ...others] = childrenOf(tag, name);
  if (child === undefined || others.length > 0) throw new S3Error('MalformedXML');
  return child.text;
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
