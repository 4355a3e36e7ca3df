import { MAX_DOCUMENT_DEPTH } from '../../../shared/limits.ts';

/** What is wrong with a text, and from where on. */
export interface JsonProblem {
  readonly at: number;
  /** A sentence that says what to change. */
  readonly message: string;
}

/** Called with each token, in order: braces, brackets, commas, colons, strings, numbers, literals. */
export type OnToken = (from: number, to: number) => void;

type Expected = 'value' | 'first value' | 'name' | 'first name' | 'colon' | 'next' | 'nothing';

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPE = /["\\/bfnrt]|u[0-9A-Fa-f]{4}/y;
const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[\w.+-]+/y;
const MAX_SHOWN_CHARS = 20;

/**
 * Reads a document's text as the server does, and says what is wrong with it first. The stack does not grow with the
 * nesting, and numbers stay the text that they are.
 */
export function scanJson(text: string, onToken: OnToken = () => {}): JsonProblem | undefined {
  const open: string[] = [];
  let expected: Expected = 'value';
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const char = text.charAt(at);
    const isClosing = char === '}' || char === ']';
    if (!isExpected(char, expected, open.at(-1)))
      return unexpected(text, at, expected, open.at(-1));
    const end = endOfToken(text, at);
    if (typeof end !== 'number') return end;
    onToken(at, end);
    if (isClosing) open.pop();
    if (char === '{' || char === '[') {
      open.push(char);
      if (open.length > MAX_DOCUMENT_DEPTH) return tooDeep(at);
      expected = char === '{' ? 'first name' : 'first value';
    } else if (char === ',') expected = open.at(-1) === '{' ? 'name' : 'value';
    else if (char === ':') expected = 'value';
    else if (expected === 'name' || expected === 'first name') {
      expected = isClosing ? afterValue(open) : 'colon';
    } else expected = afterValue(open);
    at = end;
  }
  return expected === 'nothing' ? undefined : endsEarly(text, expected, open.at(-1));
}

/** What the server would say of this text, or undefined where it would take it. */
export function checkDocument(text: string): JsonProblem | undefined {
  const problem = scanJson(text);
  if (problem) return problem;
  const at = skipSpace(text, 0);
  const isContainer = text.charAt(at) === '{' || text.charAt(at) === '[';
  if (isContainer) return undefined;
  return { at, message: 'A document is an object { } or an array [ ]: put the value into one.' };
}

/** Both counted from one; the column in UTF-16 units, as editors do. */
export function placeIn(text: string, at: number): { line: number; column: number } {
  let [line, start] = [1, 0];
  for (let end = text.indexOf('\n'); end !== -1 && end < at; end = text.indexOf('\n', start)) {
    line += 1;
    start = end + 1;
  }
  return { line, column: at - start + 1 };
}

function afterValue(open: readonly string[]): Expected {
  return open.length > 0 ? 'next' : 'nothing';
}

function isExpected(char: string, expected: Expected, inside: string | undefined): boolean {
  const close = inside === '{' ? '}' : ']';
  switch (expected) {
    case 'value':
      return !',:]}'.includes(char);
    case 'first value':
      return !',:}'.includes(char);
    case 'name':
      return char === '"';
    case 'first name':
      return char === '"' || char === '}';
    case 'colon':
      return char === ':';
    case 'next':
      return char === ',' || char === close;
    case 'nothing':
      return false;
  }
}

function endOfToken(text: string, at: number): number | JsonProblem {
  const char = text.charAt(at);
  if ('{}[],:'.includes(char)) return at + 1;
  if (char === '"') return endOfString(text, at);
  const word = match(WORD, text, at);
  const end = match(SCALAR, text, at);
  if (end !== undefined && (word === undefined || end >= word)) return end;
  const found = shown(text.slice(at, Math.max(word ?? 0, at + lengthAt(text, at))));
  const message = `${found} is no JSON value: texts are in double quotes, numbers as 1.5, and there are true, false and null.`;
  return { at, message };
}

function endOfString(text: string, start: number): number | JsonProblem {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < SPACE) return unescaped(text, start, at);
    if (code !== BACKSLASH) continue;
    const end = match(ESCAPE, text, at + 1);
    if (end === undefined) {
      const found = shown(text.slice(at, at + 2));
      return { at, message: `${found} is no escape in JSON: a backslash itself is written \\\\.` };
    }
    at = end - 1;
  }
  return { at: start, message: 'This text has no end: close it with a double quote.' };
}

function unescaped(text: string, start: number, at: number): JsonProblem {
  if (text[at] === '\n' || text[at] === '\r') {
    return {
      at: start,
      message: 'This text has no end on its line: close it with a double quote.',
    };
  }
  const escaped = JSON.stringify(text.charAt(at)).slice(1, -1);
  return { at, message: `A control character within a text: write it as ${escaped}.` };
}

function unexpected(
  text: string,
  at: number,
  expected: Expected,
  inside: string | undefined,
): JsonProblem {
  const found = shown(text.slice(at, at + lengthAt(text, at)));
  if (expected === 'nothing') {
    return { at, message: `The document has ended before ${found}: nothing may follow it.` };
  }
  const isAfterComma = expected === 'name' || (expected === 'value' && inside === '[');
  if (isAfterComma && text[at] === (inside === '{' ? '}' : ']')) {
    return { at, message: `There is a comma too many before ${found}.` };
  }
  return { at, message: `Expected ${wanted(expected, inside)}, not ${found}.` };
}

function endsEarly(text: string, expected: Expected, inside: string | undefined): JsonProblem {
  const at = text.length;
  if (expected === 'value' && inside === undefined) {
    return { at, message: 'There is nothing yet: a document is at least {} or [].' };
  }
  return { at, message: `The text ends too early: expected ${wanted(expected, inside)}.` };
}

function wanted(expected: Expected, inside: string | undefined): string {
  if (expected === 'name') return 'a name in double quotes';
  if (expected === 'first name') return 'a name in double quotes, or “}”';
  if (expected === 'colon') return 'a colon';
  if (expected === 'first value') return 'a value, or “]”';
  if (expected === 'next') return `a comma, or “${inside === '{' ? '}' : ']'}”`;
  return 'a value';
}

function tooDeep(at: number): JsonProblem {
  const levels = MAX_DOCUMENT_DEPTH.toLocaleString('en');
  return { at, message: `This is nested deeper than ${levels} levels: make it flatter.` };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return at;
}

function match(sticky: RegExp, text: string, at: number): number | undefined {
  sticky.lastIndex = at;
  return sticky.test(text) ? sticky.lastIndex : undefined;
}

/** Of the character there: half of one cannot be shown. */
function lengthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function shown(found: string): string {
  const isLong = found.length > MAX_SHOWN_CHARS;
  return `“${isLong ? `${found.slice(0, MAX_SHOWN_CHARS)}…` : found}”`;
}
