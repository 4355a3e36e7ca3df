import { S3Error } from './s3-error.ts';

export interface XmlElement {
  readonly name: string;
  /** The character data directly inside it, put together. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const MAX_DEPTH = 32;

const name = '[:A-Z_a-z\\u00c0-\\ufffd][-.:\\w\\u00b7-\\ufffd]*';
const attribute = `\\s+${name}\\s*=\\s*(?:"[^<"]*"|'[^<']*')`;
/** The pieces of a document, in the order of the groups of `piece` below. */
const comment = '<!--(?:(?!--)[^])*-->';
const instruction = `<\\?(?![xX][mM][lL][?\\s])${name}(?:\\s[^]*?)?\\?>`;
const piece = new RegExp(
  `${comment}|${instruction}|<!\\[CDATA\\[([^]*?)\\]\\]>|</(${name})\\s*>|<(${name})((?:${attribute})*)\\s*(/?)>|([^<]+)`,
  'y',
);
const declaration = /^\ufeff?(?:<\?xml\s[^<>]*\?>)?/;
// XML 1.0 section 2.2.
const disallowed =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * Reads a well-formed XML document without a document type, as S3's request bodies are: no entity
 * but the five of XML is known, so nothing expands. Attributes are checked and dropped. The caller
 * bounds the length. Throws S3Error MalformedXML.
 */
export function readXml(document: string): XmlElement {
  if (disallowed.test(document)) throw new S3Error('MalformedXML');
  const top: OpenElement = { name: '', text: '', children: [] };
  const open = [top];
  let position = declaration.exec(document)?.[0].length ?? 0;
  while (position < document.length) {
    piece.lastIndex = position;
    const match = piece.exec(document);
    if (!match) throw new S3Error('MalformedXML');
    position = piece.lastIndex;
    readPiece(match, open);
  }
  const [root, ...others] = top.children;
  if (open.length > 1 || root === undefined || others.length > 0 || /\S/.test(top.text)) {
    throw new S3Error('MalformedXML');
  }
  return root;
}

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

function readPiece(match: RegExpExecArray, open: OpenElement[]): void {
  const [, cdata, endName, startName, attributes = '', selfClosing, text] = match;
  const parent = open.at(-1);
  if (parent === undefined) throw new S3Error('MalformedXML');
  if (cdata !== undefined) {
    if (open.length === 1) throw new S3Error('MalformedXML');
    parent.text += cdata;
  } else if (text !== undefined) {
    if (text.includes(']]>')) throw new S3Error('MalformedXML');
    parent.text += resolveReferences(text, open.length > 1);
  } else if (endName !== undefined) {
    if (open.length === 1 || endName !== parent.name) throw new S3Error('MalformedXML');
    open.pop();
  } else if (startName !== undefined) {
    checkAttributes(attributes);
    if (open.length > MAX_DEPTH) throw new S3Error('MalformedXML');
    const element: OpenElement = { name: startName, text: '', children: [] };
    parent.children.push(element);
    if (selfClosing === '') open.push(element);
  }
}

function checkAttributes(attributes: string): void {
  const names = new Set<string>();
  for (const [, attributeName = '', value = ''] of attributes.matchAll(
    /\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')/g,
  )) {
    if (names.has(attributeName)) throw new S3Error('MalformedXML');
    names.add(attributeName);
    resolveReferences(value, true);
  }
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  gt: '>',
  lt: '<',
  quot: '"',
};

function resolveReferences(text: string, allowed: boolean): string {
  return text.replace(/&(?:#(\d+|x[\da-f]+)|([a-z]+))?;?/gi, (reference, code, entity) => {
    const char = code === undefined ? entities[entity] : characterOf(code);
    if (!allowed || char === undefined || !reference.endsWith(';') || disallowed.test(char)) {
      throw new S3Error('MalformedXML');
    }
    return char;
  });
}

function characterOf(code: string): string | undefined {
  const point = code.startsWith('x') ? Number.parseInt(code.slice(1), 16) : Number(code);
  return point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
}
