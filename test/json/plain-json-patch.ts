import { isDeepStrictEqual } from 'node:util';

/** RFC 6902 over plain values, as naive as it can be: what applyJsonPatch is compared with. */

export type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

export interface PlainOperation {
  op: string;
  path: string;
  from?: string;
  value?: Plain;
}

export class PlainPatchError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export function applyPlainOperation(document: Plain, operation: PlainOperation): Plain {
  const { op, path, from = '', value = null } = operation;
  switch (op) {
    case 'add':
      return insert(document, tokensOf(path), value);
    case 'remove':
      if (path === '') throw new PlainPatchError('bad-request');
      return without(document, tokensOf(path));
    case 'replace':
      if (path === '') return value;
      valueAt(document, tokensOf(path));
      return insert(without(document, tokensOf(path)), tokensOf(path), value);
    case 'move':
      if (path.startsWith(`${from}/`)) throw new PlainPatchError('bad-request');
      if (path === from) {
        valueAt(document, tokensOf(path));
        return document;
      }
      return insert(
        without(document, tokensOf(from)),
        tokensOf(path),
        valueAt(document, tokensOf(from)),
      );
    case 'copy':
      return insert(document, tokensOf(path), valueAt(document, tokensOf(from)));
    case 'test':
      if (!isDeepStrictEqual(valueAt(document, tokensOf(path)), value)) fail();
      return document;
    default:
      throw new PlainPatchError('bad-request');
  }
}

/** The own names or indices of a value. */
export function namesOf(value: Plain): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

export function childOf(value: Plain, name: string): Plain {
  if (typeof value !== 'object' || value === null || !namesOf(value).includes(name)) fail();
  return Object.entries(value).find(([own]) => own === name)?.[1] ?? null;
}

function fail(): never {
  throw new PlainPatchError('conflict');
}

function tokensOf(pointer: string): string[] {
  const tokens = pointer.split('/').slice(1);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(document: Plain, tokens: string[]): Plain {
  return tokens.reduce(childOf, document);
}

/** A new document in which `change` has been done to the container of the last token. */
function changed(
  document: Plain,
  [token, ...rest]: string[],
  change: (container: Plain, last: string) => Plain,
): Plain {
  if (token === undefined) return fail();
  if (rest.length === 0) return change(document, token);
  const child = changed(childOf(document, token), rest, change);
  if (Array.isArray(document)) return document.with(Number(token), child);
  return withMember(document, token, child);
}

function withMember(container: Plain, name: string, value: Plain): Plain {
  if (typeof container !== 'object' || container === null) return fail();
  // Object.fromEntries defines, where an assignment to `__proto__` would not.
  return Object.fromEntries([...Object.entries(container), [name, value]]);
}

function insert(document: Plain, tokens: string[], value: Plain): Plain {
  if (tokens.length === 0) return value;
  return changed(document, tokens, (container, last) => {
    if (!Array.isArray(container)) return withMember(container, last, value);
    const index = last === '-' ? container.length : Number(last);
    if (last !== '-' && String(index) !== last) fail();
    if (!(index >= 0 && index <= container.length)) fail();
    return container.toSpliced(index, 0, value);
  });
}

function without(document: Plain, tokens: string[]): Plain {
  return changed(document, tokens, (container, last) => {
    childOf(container, last);
    if (Array.isArray(container)) return container.toSpliced(Number(last), 1);
    return Object.fromEntries(Object.entries(container ?? {}).filter(([name]) => name !== last));
  });
}
