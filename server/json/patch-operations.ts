import { KeystowError } from '../../shared/errors.ts';
import { MAX_PATCH_OPERATIONS } from '../../shared/limits.ts';
import { excerpt, parsePointer } from './json-pointer.ts';
import type { JsonNode } from './lossless.ts';

/** `label` names the operation in messages: `Operation 2 (test /a/b)`. */
export type Operation = { label: string; path: string[] } & (
  | { op: 'add' | 'replace' | 'test'; value: JsonNode }
  | { op: 'remove' }
  | { op: 'move' | 'copy'; from: string[] }
);

/**
 * The operations of a JSON Patch (RFC 6902 section 4). Throws KeystowError 'bad-request' for anything
 * that no document could make right, and for more than MAX_PATCH_OPERATIONS operations.
 */
export function parsePatch(patch: JsonNode): Operation[] {
  if (!Array.isArray(patch)) {
    throw new KeystowError('bad-request', 'A JSON Patch must be an array of operations.');
  }
  if (patch.length > MAX_PATCH_OPERATIONS) {
    throw new KeystowError(
      'bad-request',
      `A JSON Patch may have at most ${MAX_PATCH_OPERATIONS} operations; this one has ${patch.length}.`,
    );
  }
  return patch.map(parseOperation);
}

function parseOperation(members: JsonNode, index: number): Operation {
  const place = `Operation ${index}`;
  if (!(members instanceof Map)) throw malformed(place, 'an operation must be an object.');
  const op = stringMember(members, 'op', place);
  const pathText = stringMember(members, 'path', place);
  const label = `${place} (${excerpt(op)} ${excerpt(pathText)})`;
  const path = pointer(pathText, label);
  switch (op) {
    case 'add':
    case 'replace':
    case 'test': {
      const value = members.get('value');
      if (value === undefined) throw malformed(label, 'it needs a member "value".');
      return { op, label, path, value };
    }
    case 'remove':
      if (path.length === 0) {
        throw malformed(
          label,
          'the whole document cannot be removed; replace it or DELETE its key.',
        );
      }
      return { op, label, path };
    case 'move':
    case 'copy': {
      const from = pointer(stringMember(members, 'from', label), label);
      if (op === 'move' && from.length < path.length && isWithin(path, from)) {
        throw malformed(label, 'a value cannot be moved into itself; choose another "path".');
      }
      return { op, label, path, from };
    }
    default:
      throw malformed(label, '"op" must be add, remove, replace, move, copy or test.');
  }
}

function stringMember(members: Map<string, JsonNode>, name: string, label: string): string {
  const member = members.get(name);
  if (typeof member !== 'string' || !member.startsWith('"')) {
    throw malformed(label, `it needs a member "${name}" that is a string.`);
  }
  return JSON.parse(member);
}

function pointer(text: string, label: string): string[] {
  try {
    return parsePointer(text);
  } catch (error) {
    throw error instanceof KeystowError ? malformed(label, error.message) : error;
  }
}

/** Whether the value at `path` is the one at `from` or lies within it. */
export function isWithin(path: string[], from: string[]): boolean {
  return from.every((token, index) => token === path[index]);
}

function malformed(label: string, reason: string): KeystowError {
  return new KeystowError('bad-request', `${label}: ${reason}`);
}
