import { S3Error } from './s3-error.ts';
import { readXml, type XmlElement } from './xml-reader.ts';

/** The root of a document that has this name. Throws S3Error MalformedXML, as all of these do. */
export function readRoot(document: string, name: string): XmlElement {
  const root = readXml(document);
  if (root.name !== name) throw new S3Error('MalformedXML');
  return root;
}

/** The children of one name, in their order. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** The one child of a name, which must be there. */
export function childOf(element: XmlElement, name: string): XmlElement {
  const child = optionalChildOf(element, name);
  if (child === undefined) throw new S3Error('MalformedXML');
  return child;
}

/** The text of the one child of a name; undefined where there is none. A repeated one is refused. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return optionalChildOf(element, name)?.text;
}

/** The same, of a child that must be there. */
export function requiredTextOf(element: XmlElement, name: string): string {
  return childOf(element, name).text;
}

/** Refuses children of other names: what is passed over would be a promise that is not kept. */
export function checkMembers(element: XmlElement, names: readonly string[]): void {
  if (!element.children.every(({ name }) => names.includes(name))) {
    throw new S3Error('MalformedXML');
  }
}

function optionalChildOf(element: XmlElement, name: string): XmlElement | undefined {
  const [child, ...others] = childrenOf(element, name);
  if (others.length > 0) throw new S3Error('MalformedXML');
  return child;
}
