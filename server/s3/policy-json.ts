/**
 * A JSON value as a policy needs it: numbers by their text (`512.0` is not `512` to S3), objects by
 * their members, so that a name that is given twice shows.
 */
export type PolicyJson =
  | string
  | boolean
  | null
  | PolicyJson[]
  | { readonly number: string }
  | { readonly members: readonly (readonly [name: string, value: PolicyJson])[] };

/** A policy needs three levels. */
const MAX_DEPTH = 16;

// A string, a number, a word or a bracket, with the white space before it (RFC 8259 section 2).
const token =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings may not hold them.
  /[ \t\n\r]*(?:("(?:[^"\\\u0000-\u001f]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([[\]{}:,]))/y;

/** Reads a JSON text (RFC 8259). Throws a SyntaxError for anything else and for 17 levels. */
export function parsePolicyJson(text: string): PolicyJson {
  let position = 0;

  function next(): RegExpExecArray {
    token.lastIndex = position;
    const match = token.exec(text);
    if (!match) throw new SyntaxError(`Not JSON at position ${position}.`);
    position = token.lastIndex;
    return match;
  }

  function skip(bracket: string): boolean {
    token.lastIndex = position;
    if (token.exec(text)?.[4] !== bracket) return false;
    position = token.lastIndex;
    return true;
  }

  function expect(bracket: string): void {
    if (!skip(bracket)) throw new SyntaxError(`Expected "${bracket}" at position ${position}.`);
  }

  function value(depth: number): PolicyJson {
    const [, string, number, word, bracket] = next();
    if (string !== undefined) return JSON.parse(string);
    if (number !== undefined) return { number };
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    if (depth === MAX_DEPTH) throw new SyntaxError(`More than ${MAX_DEPTH} levels.`);
    if (bracket === '[') return list(']', () => value(depth + 1));
    if (bracket !== '{') throw new SyntaxError(`Unexpected "${bracket}" at position ${position}.`);
    return { members: list('}', () => member(depth + 1)) };
  }

  function member(depth: number): [string, PolicyJson] {
    const [, name] = next();
    if (name === undefined) throw new SyntaxError(`Expected a name at position ${position}.`);
    expect(':');
    return [JSON.parse(name), value(depth)];
  }

  function list<T>(end: string, element: () => T): T[] {
    const elements: T[] = [];
    if (skip(end)) return elements;
    do elements.push(element());
    while (skip(','));
    expect(end);
    return elements;
  }

  const root = value(0);
  if (/[^ \t\n\r]/.test(text.slice(position))) {
    throw new SyntaxError(`Unexpected text at position ${position}.`);
  }
  return root;
}
