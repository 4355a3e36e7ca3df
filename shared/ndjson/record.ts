/** What is wrong with one line of an import; the rest of the lines can go on. */
export class BrokenLineError extends Error {}

export interface ImportRecord {
  key: string;
  /** The document's text, as it is in the line. */
  value: string;
}

/** Reads one line `{"key":…,"value":…}`; other members do not matter. Throws BrokenLineError. */
export function parseRecord(bytes: Uint8Array): ImportRecord {
  const line = decode(bytes);
  const record = parse(line);
  const key: unknown = Object.hasOwn(record, 'key') ? Reflect.get(record, 'key') : undefined;
  if (typeof key !== 'string' || key === '') {
    throw new BrokenLineError('"key" must be a string that is not empty.');
  }
  if (/\p{Surrogate}/u.test(key)) {
    throw new BrokenLineError('"key" must be valid Unicode.');
  }
  const value = memberText(line, 'value');
  if (value === undefined) {
    throw new BrokenLineError('there is no "value".');
  }
  return { key, value };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BrokenLineError('the line must be valid UTF-8.');
  }
}

function parse(line: string): object {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    throw new BrokenLineError('the line must be JSON, such as {"key":"a","value":{}}.');
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new BrokenLineError('the line must be a JSON object with "key" and "value".');
  }
  return record;
}

/**
 * The text of a member of `line`, which must be a JSON object. It is cut out rather than parsed
 * and written again, so that numbers, escapes, the order of members and doubled ones stay.
 */
function memberText(line: string, wanted: string): string | undefined {
  let found: string | undefined;
  let depth = 0;
  let start = 0;
  let name: unknown;
  for (let at = 0; at < line.length; at++) {
    switch (line[at]) {
      case '"':
        at = endOfString(line, at);
        break;
      case ':':
        if (depth === 1) {
          name = JSON.parse(line.slice(start, at));
          start = at + 1;
        }
        break;
      case '{':
      case '[':
        depth++;
        if (depth === 1) {
          start = at + 1;
        }
        break;
      case '}':
      case ']':
      case ',':
        if (depth === 1) {
          // As in JSON.parse, the last of several members of one name counts.
          found = name === wanted ? line.slice(start, at).trim() : found;
          start = at + 1;
        }
        depth -= line[at] === ',' ? 0 : 1;
        break;
    }
  }
  return found;
}

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(line: string, start: number): number {
  for (let end = line.indexOf('"', start + 1); ; end = line.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (line[end - 1 - backslashes] === '\\') {
      backslashes++;
    }
    if (backslashes % 2 === 0) {
      return end;
    }
  }
}
