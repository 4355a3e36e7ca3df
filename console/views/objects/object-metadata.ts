/** What is kept with an object, as its answers' headers tell it. */

export interface MetadataRow {
  readonly name: string;
  readonly value: string;
}

const NAMES: readonly (readonly [header: string, name: string])[] = [
  ['content-type', 'Content type'],
  ['cache-control', 'Cache control'],
  ['content-disposition', 'Content disposition'],
  ['content-encoding', 'Content encoding'],
  ['content-language', 'Content language'],
  ['expires', 'Expires'],
  ['x-amz-storage-class', 'Storage class'],
  ['x-amz-tagging-count', 'Tags'],
];
const OWN = 'x-amz-meta-';
const CHECKSUM = 'x-amz-checksum-';

export function storedHeaders(headers: Headers): MetadataRow[] {
  const known = NAMES.map(([header, name]) => ({ name, value: headers.get(header) }));
  const checksums = Array.from(headers)
    .filter(([header]) => header.startsWith(CHECKSUM) && header !== `${CHECKSUM}type`)
    .map(([header, value]) => ({
      name: `Checksum ${header.slice(CHECKSUM.length).toUpperCase()}`,
      value,
    }));
  return [...known, ...checksums].flatMap(({ name, value }) =>
    value === null ? [] : [{ name, value: decodeHeader(value) }],
  );
}

/** Those that who stored it has named. */
export function ownMetadata(headers: Headers): MetadataRow[] {
  return Array.from(headers)
    .filter(([header]) => header.startsWith(OWN))
    .map(([header, value]) => ({ name: header.slice(OWN.length), value: decodeHeader(value) }));
}

/** One encoded-word of RFC 2047, which S3 has for what is not ASCII, or UTF-8 as a header has it, byte by byte. */
export function decodeHeader(value: string): string {
  const word = /^=\?UTF-8\?([BQ])\?([^?]*)\?=$/i.exec(value);
  const [, encoding = '', text = ''] = word ?? [];
  if (!word) return fromBytes(value);
  if (encoding.toUpperCase() === 'Q') {
    const bytes = text
      .replaceAll('_', ' ')
      .replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    return fromBytes(bytes);
  }
  try {
    return fromBytes(atob(text));
  } catch {
    return value;
  }
}

/** One character for each byte; as it is where that is no UTF-8. */
function fromBytes(text: string): string {
  if (/[^\0-\u00ff]/.test(text)) return text;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return text;
  }
}
