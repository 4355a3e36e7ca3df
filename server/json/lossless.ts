import { KeystowError } from '../../shared/errors.ts';
import { MAX_DOCUMENT_DEPTH } from '../../shared/limits.ts';
import { utf8Length } from './utf8-length.ts';

/**
 * JSON that keeps what JSON.parse loses: a scalar is its own JSON text (`1.0`, `"\u0041"`, `null`),
 * an object a Map from decoded names in document order, so that `__proto__` and `1` are ordinary.
 */
export type JsonNode = string | JsonNode[] | Map<string, JsonNode>;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * Reads a JSON text; accepts what JSON.parse accepts, up to `maxDepth` arrays and objects inside one
 * another. Of members with one name the last wins, in the place of the first, as in JSON.parse.
 * Throws a SyntaxError that names the position, or KeystowError 'bad-request' for deeper nesting.
 */
export function parseLossless(text: string, maxDepth = MAX_DOCUMENT_DEPTH): JsonNode {
  return new Parser(text, maxDepth).document();
}

/**
 * The compact JSON text of a node. Throws KeystowError 'too-large' as soon as the text passes
 * `maxBytes` of UTF-8, and 'bad-request' for a node nested deeper than MAX_DOCUMENT_DEPTH.
 */
export function stringifyLossless(root: JsonNode, maxBytes: number): string {
  let text = '';
  let bytes = 0;

  function write(part: string): void {
    bytes += utf8Length(part);
    if (bytes > maxBytes) {
      throw new KeystowError(
        'too-large',
        `The document would be larger than ${maxBytes} bytes; make it smaller.`,
      );
    }
    text += part;
  }

  function visit(node: JsonNode, depth: number): void {
    if (typeof node === 'string') {
      write(node);
      return;
    }
    if (depth > MAX_DOCUMENT_DEPTH) throw tooDeep(MAX_DOCUMENT_DEPTH);
    let separator = '';
    if (Array.isArray(node)) {
      write('[');
      for (const element of node) {
        write(separator);
        visit(element, depth + 1);
        separator = ',';
      }
      write(']');
    } else {
      write('{');
      for (const [name, member] of node) {
        write(`${separator}${JSON.stringify(name)}:`);
        visit(member, depth + 1);
        separator = ',';
      }
      write('}');
    }
  }

  visit(root, 1);
  return text;
}

/**
 * How many arrays and objects a text that JSON.parse accepts has inside one another: `{}` has one, a
 * scalar none.
 */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth -= 1;
    }
  }
  return deepest;
}

/** The error for nesting beyond `maxDepth`. */
export function tooDeep(maxDepth: number): KeystowError {
  return new KeystowError(
    'bad-request',
    `The JSON is nested more than ${maxDepth} levels deep; make it flatter.`,
  );
}

/** The position of the quote that closes the valid string whose opening quote is at `start`. */
export function endOfString(text: string, start: number): number {
  let end = start;
  let backslashes: number;
  do {
    // indexOf passes over a long string a hundred times faster than a loop.
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
  } while (backslashes % 2 === 1);
  return end;
}

class Parser {
  private readonly text: string;
  private readonly maxDepth: number;
  private at = 0;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  document(): JsonNode {
    const node = this.value(1);
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected();
    return node;
  }

  private value(depth: number): JsonNode {
    this.skipSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
        return this.literal('true');
      case 'f':
        return this.literal('false');
      case 'n':
        return this.literal('null');
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonNode {
    if (depth > this.maxDepth) throw tooDeep(this.maxDepth);
    const members = new Map<string, JsonNode>();
    this.at += 1;
    this.skipSpace();
    if (this.skip(CLOSE_BRACE)) return members;
    do {
      this.skipSpace();
      const name = this.name();
      this.skipSpace();
      if (!this.skip(COLON)) throw this.unexpected();
      members.set(name, this.value(depth + 1));
      this.skipSpace();
    } while (this.skip(COMMA));
    if (!this.skip(CLOSE_BRACE)) throw this.unexpected();
    return members;
  }

  private array(depth: number): JsonNode {
    if (depth > this.maxDepth) throw tooDeep(this.maxDepth);
    const elements: JsonNode[] = [];
    this.at += 1;
    this.skipSpace();
    if (this.skip(CLOSE_BRACKET)) return elements;
    do {
      elements.push(this.value(depth + 1));
      this.skipSpace();
    } while (this.skip(COMMA));
    if (!this.skip(CLOSE_BRACKET)) throw this.unexpected();
    return elements;
  }

  private name(): string {
    const raw = this.string();
    return raw.includes('\\') ? JSON.parse(raw) : raw.slice(1, -1);
  }

  private string(): string {
    const start = this.at;
    if (!this.skip(QUOTE)) throw this.unexpected();
    while (!this.skip(QUOTE)) {
      const code = this.text.charCodeAt(this.at);
      // Not `code < SPACE`: past the end the code is NaN.
      if (!(code >= SPACE)) throw this.unexpected();
      this.at += 1;
      if (code === BACKSLASH) this.match(/["\\/bfnrt]|u[0-9A-Fa-f]{4}/y);
    }
    return this.text.slice(start, this.at);
  }

  private number(): string {
    return this.match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y);
  }

  private literal(literal: string): string {
    if (!this.text.startsWith(literal, this.at)) throw this.unexpected();
    this.at += literal.length;
    return literal;
  }

  private match(sticky: RegExp): string {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text)?.[0];
    if (found === undefined) throw this.unexpected();
    this.at += found.length;
    return found;
  }

  private skip(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at += 1;
    return true;
  }

  private skipSpace(): void {
    let code = this.text.charCodeAt(this.at);
    while (code === SPACE || code === TAB || code === LINE_FEED || code === CARRIAGE_RETURN) {
      this.at += 1;
      code = this.text.charCodeAt(this.at);
    }
  }

  private unexpected(): SyntaxError {
    const found =
      this.at < this.text.length
        ? `Unexpected ${JSON.stringify(String.fromCodePoint(this.text.codePointAt(this.at) ?? 0))}`
        : 'Unexpected end';
    return new SyntaxError(`${found} in JSON at position ${this.at}.`);
  }
}
