import { endOfString } from './lossless.ts';

/**
 * The parts of a JSON text as they were written: white space, escapes and numbers of each are kept.
 * Both take only what JSON.parse accepts; the array or object is the whole text.
 */

/** The text of each element; undefined where the text is no array. */
export function rawElements(text: string): string[] | undefined {
  const { open, parts } = split(text);
  if (open !== '[') return undefined;
  return parts.map(([start, end]) => text.slice(start, end).trim());
}

/** The text of each member by its decoded name, the last of those with one name; undefined for no object. */
export function rawMembers(text: string): Map<string, string> | undefined {
  const { open, parts } = split(text);
  if (open !== '{') return undefined;
  const members = new Map<string, string>();
  for (const [start, end] of parts) {
    const quote = text.indexOf('"', start);
    const nameEnd = endOfString(text, quote) + 1;
    const colon = text.indexOf(':', nameEnd);
    members.set(JSON.parse(text.slice(quote, nameEnd)), text.slice(colon + 1, end).trim());
  }
  return members;
}

/** Where the parts between the outermost brackets begin and end. */
function split(text: string): { open: string; parts: [start: number, end: number][] } {
  const parts: [number, number][] = [];
  const open = /[^ \t\r\n]/.exec(text)?.[0] ?? '';
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case '[':
      case '{':
        depth += 1;
        if (depth === 1) start = at + 1;
        break;
      case ']':
      case '}':
        depth -= 1;
        // Nothing between the brackets is no part.
        if (depth === 0 && (parts.length > 0 || text.slice(start, at).trim() !== '')) {
          parts.push([start, at]);
        }
        break;
      case ',':
        if (depth === 1) {
          parts.push([start, at]);
          start = at + 1;
        }
        break;
    }
  }
  return { open, parts };
}
