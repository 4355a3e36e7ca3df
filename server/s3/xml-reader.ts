import { SaxesParser } from 'saxes';
import { S3Error } from './s3-error.ts';

export interface XmlElement {
  /** As it is written, with its prefix: namespaces are not looked at. */
  readonly name: string;
  /** The character data directly inside it, put together. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const MAX_DEPTH = 32;

/**
 * Reads a well-formed XML 1.0 document without a document type, as S3's request bodies are: no entity
 * but the five of XML is known, so nothing expands. Attributes are checked and dropped. Elements are
 * at most 32 deep; the caller bounds the length. Throws S3Error MalformedXML.
 */
export function readXml(document: string): XmlElement {
  // The parser takes a high surrogate and whatever follows it for one character.
  if (!document.isWellFormed()) throw new S3Error('MalformedXML');
  const builder = new TreeBuilder();
  // Without `forceXMLVersion`, a declaration of 1.1 would let in its control characters.
  const parser = new SaxesParser({
    position: false,
    defaultXMLVersion: '1.0',
    forceXMLVersion: true,
  });
  parser.on('error', (cause) => {
    throw new S3Error('MalformedXML', { cause });
  });
  parser.on('doctype', () => {
    throw new S3Error('MalformedXML');
  });
  parser.on('opentag', ({ name }) => builder.open(name));
  parser.on('text', (text) => builder.addText(text));
  parser.on('cdata', (text) => builder.addText(text));
  parser.on('closetag', () => builder.close());
  parser.write(document).close();
  return builder.root();
}

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

/** Takes what a parser reports in order; that it is well-formed is the parser's to see. */
class TreeBuilder {
  #root: OpenElement | undefined;
  readonly #open: OpenElement[] = [];

  open(name: string): void {
    if (this.#open.length >= MAX_DEPTH) throw new S3Error('MalformedXML');
    const element: OpenElement = { name, text: '', children: [] };
    this.#open.at(-1)?.children.push(element);
    this.#root ??= element;
    this.#open.push(element);
  }

  /** Outside of the root there are only spaces, which count for nothing. */
  addText(text: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined) element.text += text;
  }

  close(): void {
    this.#open.pop();
  }

  root(): XmlElement {
    if (this.#root === undefined) throw new S3Error('MalformedXML');
    return this.#root;
  }
}
