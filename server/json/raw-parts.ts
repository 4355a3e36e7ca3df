import { endOfString } from './lossless.ts';

/** The parts of a JSON text as they were written: white space, escapes and numbers of each are kept. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The text of each element of an array; undefined where the text is none. It is valid JSON if each
 * element is.
 */
export function rawElements(text: string): string[] | undefined {
  const parts = /^[ \t\r\n]*\[/.test(text) ? split(text, CLOSE_BRACKET) : undefined;
  return parts?.map(([start, end]) => text.slice(start, end).trim());
}

/**
 * The text of each member of an object by its decoded name, the last of those with one name; undefined
 * where the text is none. Only for what JSON.parse accepts.
 */
export function rawMembers(text: string): Map<string, string> | undefined {
  const parts = /^[ \t\r\n]*\{/.test(text) ? split(text, CLOSE_BRACE) : undefined;
  if (!parts) return undefined;
  const members = new Map<string, string>();
  for (const [start, end] of parts) {
    const quote = text.indexOf('"', start);
    const nameEnd = endOfString(text, quote) + 1;
    const colon = text.indexOf(':', nameEnd);
    members.set(JSON.parse(text.slice(quote, nameEnd)), text.slice(colon + 1, end).trim());
  }
  return members;
}

/** Where the parts between the outermost brackets begin and end; undefined where these are not the ends. */
function split(text: string, close: number): [start: number, end: number][] | undefined {
  const parts: [number, number][] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if (code === COMMA && depth === 1) {
      parts.push([start, at]);
      start = at + 1;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
      depth -= 1;
      if (depth > 0) continue;
      if (code !== close || /[^ \t\r\n]/.test(text.slice(at + 1))) return undefined;
      // Nothing between the brackets is no part.
      if (parts.length > 0 || text.slice(start, at).trim() !== '') parts.push([start, at]);
      return parts;
    }
  }
  return undefined;
}
