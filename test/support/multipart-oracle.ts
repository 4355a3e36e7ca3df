import { parseDisposition, parseFormBoundary } from './oracle-parameters.ts';

/**
 * A second opinion on multipart/form-data, from RFC 2046 and RFC 7578 alone: over the whole body,
 * without any library. What it takes, every sensible server takes the same way; what is allowed but
 * read differently in practice (`filename*`, a header block that borrows its blank line from the
 * next delimiter, a delimiter's text within a content) it does not take.
 */

export interface OraclePart {
  readonly name: string;
  readonly filename: string | undefined;
  /** Names in lower case, values unfolded and without outer white space, in the order sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly content: Buffer;
}

/** What no sensible server refuses for its size alone. */
const MAX_HEADER_BLOCK = 8_192;
const MAX_HEADERS = 64;

/** The parts of a form, or undefined where it is not well-formed. */
export function readMultipart(contentType: string, body: Buffer): OraclePart[] | undefined {
  const boundary = parseFormBoundary(contentType);
  if (boundary === undefined) return undefined;
  const sections = splitSections(boundary, body);
  if (sections === undefined || sections.length === 0) return undefined;
  const parts: OraclePart[] = [];
  for (const section of sections) {
    const part = readPart(section);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

/** What stands between the delimiters, the line end before each of them taken off. */
function splitSections(boundary: string, body: Buffer): Buffer[] | undefined {
  const dashBoundary = Buffer.from(`--${boundary}`, 'latin1');
  const sections: Buffer[] = [];
  let sectionStart: number | undefined;
  let from = 0;
  for (;;) {
    const at = body.indexOf(dashBoundary, from);
    if (at === -1) return undefined;
    from = at + 1;
    if (!startsLine(body, at)) continue;
    if (sectionStart !== undefined) {
      if (at - 2 < sectionStart) return undefined;
      sections.push(body.subarray(sectionStart, at - 2));
    }
    let end = at + dashBoundary.length;
    const isClosing = body[end] === 0x2d && body[end + 1] === 0x2d;
    if (isClosing) end += 2;
    while (body[end] === 0x20 || body[end] === 0x09) end += 1;
    if (isClosing && end === body.length) return sections;
    if (body[end] !== 0x0d || body[end + 1] !== 0x0a) return undefined;
    if (isClosing) return sections;
    sectionStart = end + 2;
    from = sectionStart;
  }
}

function startsLine(body: Buffer, at: number): boolean {
  return at === 0 || (at >= 2 && body[at - 2] === 0x0d && body[at - 1] === 0x0a);
}

function readPart(section: Buffer): OraclePart | undefined {
  const blockEnd = section.indexOf('\r\n\r\n');
  if (blockEnd === -1 || blockEnd > MAX_HEADER_BLOCK) return undefined;
  const headers = readHeaders(section.subarray(0, blockEnd));
  if (headers === undefined) return undefined;
  const [disposition, ...others] = valuesOf(headers, 'content-disposition');
  if (disposition === undefined || others.length > 0) return undefined;
  if (valuesOf(headers, 'content-type').length > 1) return undefined;
  const names = parseDisposition(disposition);
  if (names === undefined) return undefined;
  return { ...names, headers, content: section.subarray(blockEnd + 4) };
}

function readHeaders(block: Buffer): OraclePart['headers'] | undefined {
  const text = decodeUtf8(block);
  if (text === undefined) return undefined;
  const unfolded = text.replace(/\r\n(?=[ \t]+[^ \t\r])/g, '');
  const headers: [string, string][] = [];
  for (const line of unfolded.split('\r\n')) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined || hasControl(value)) return undefined;
    headers.push([name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, '')]);
  }
  return headers.length > MAX_HEADERS ? undefined : headers;
}

function decodeUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

function hasControl(text: string): boolean {
  for (const character of text) {
    const code = character.charCodeAt(0);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

function valuesOf(headers: OraclePart['headers'], wanted: string): string[] {
  return headers.filter(([name]) => name === wanted).map(([, value]) => value);
}
