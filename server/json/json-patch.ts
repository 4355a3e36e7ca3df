import { KeystowError } from '../../shared/errors.ts';
import { MAX_DOCUMENT_DEPTH } from '../../shared/limits.ts';
import { equalJson, type KnownDecimals } from './equal-json.ts';
import { type JsonNode, tooDeep } from './lossless.ts';
import { isWithin, type Operation, parsePatch } from './patch-operations.ts';

/** What the operations of one patch share, so that a short patch cannot cost much. */
interface Effort {
  /** Characters that copies may still take. */
  copyable: number;
  readonly maxBytes: number;
  readonly known: KnownDecimals;
}

/**
 * RFC 6902 (JSON Patch): the document as the operations change it. May change the document given,
 * so discard that when this throws; the patch stays as it is.
 *
 * Throws KeystowError 'bad-request' for a patch that is malformed or has more than
 * MAX_PATCH_OPERATIONS operations, before anything is applied; 'conflict' for a test that fails or a
 * path that does not exist; 'too-large' when the values copied come to more than `maxBytes` in all.
 * The result may be larger than `maxBytes` or too deep: stringifyLossless refuses that.
 */
export function applyJsonPatch(document: JsonNode, patch: JsonNode, maxBytes: number): JsonNode {
  const effort: Effort = { copyable: maxBytes, maxBytes, known: new Map() };
  let current = document;
  for (const operation of parsePatch(patch)) current = apply(current, operation, effort);
  return current;
}

function apply(document: JsonNode, operation: Operation, effort: Effort): JsonNode {
  const { label, path } = operation;
  switch (operation.op) {
    case 'add':
      return add(document, path, copyOf(operation.value), label);
    case 'remove':
      remove(document, path, label);
      return document;
    case 'replace':
      return replace(document, path, copyOf(operation.value), label);
    case 'move': {
      const value = find(document, operation.from, label, 'from');
      // Moving a value to where it is changes nothing, not even the order of members.
      if (operation.from.length === path.length && isWithin(path, operation.from)) return document;
      remove(document, operation.from, label);
      return add(document, path, value, label);
    }
    case 'copy': {
      const value = find(document, operation.from, label, 'from');
      return add(document, path, copyOf(value, effort), label);
    }
    case 'test':
      if (!equalJson(find(document, path, label), operation.value, effort.known)) {
        throw conflict(label, 'the value is different.');
      }
      return document;
  }
}

function add(document: JsonNode, path: string[], value: JsonNode, label: string): JsonNode {
  const token = path.at(-1);
  if (token === undefined) return value;
  const parent = find(document, path.slice(0, -1), label);
  if (parent instanceof Map) {
    parent.set(token, value);
  } else if (Array.isArray(parent)) {
    // "-" is the element after the last one (RFC 6901 section 4).
    const index = token === '-' ? parent.length : arrayIndex(token, parent.length + 1);
    if (index === undefined) throw outOfBounds(label, parent);
    parent.splice(index, 0, value);
  } else {
    throw conflict(label, 'a scalar has no members; choose another "path".');
  }
  return document;
}

function replace(document: JsonNode, path: string[], value: JsonNode, label: string): JsonNode {
  const token = path.at(-1);
  if (token === undefined) return value;
  const parent = find(document, path.slice(0, -1), label);
  if (parent instanceof Map && parent.has(token)) {
    parent.set(token, value);
  } else if (Array.isArray(parent)) {
    const index = arrayIndex(token, parent.length);
    if (index === undefined) throw outOfBounds(label, parent);
    parent[index] = value;
  } else {
    throw missing(label, 'path');
  }
  return document;
}

function remove(document: JsonNode, path: string[], label: string): void {
  const token = path.at(-1);
  const parent = find(document, path.slice(0, -1), label);
  if (token !== undefined && parent instanceof Map && parent.has(token)) {
    parent.delete(token);
  } else if (token !== undefined && Array.isArray(parent)) {
    const index = arrayIndex(token, parent.length);
    if (index === undefined) throw outOfBounds(label, parent);
    parent.splice(index, 1);
  } else {
    throw missing(label, 'path');
  }
}

function find(
  document: JsonNode,
  path: string[],
  label: string,
  member: 'path' | 'from' = 'path',
): JsonNode {
  let node = document;
  for (const token of path) {
    const child = childOf(node, token);
    if (child === undefined) throw missing(label, member);
    node = child;
  }
  return node;
}

function childOf(node: JsonNode, token: string): JsonNode | undefined {
  if (node instanceof Map) return node.get(token);
  if (!Array.isArray(node)) return undefined;
  const index = arrayIndex(token, node.length);
  return index === undefined ? undefined : node[index];
}

/** An index below `length`, without leading zeros (RFC 6901 section 4). */
function arrayIndex(token: string, length: number): number | undefined {
  if (!/^(?:0|[1-9][0-9]*)$/.test(token)) return undefined;
  const index = Number(token);
  return index < length ? index : undefined;
}

/** A deep copy; what it takes of `copyable` is never more than its compact text has bytes. */
function copyOf(node: JsonNode, effort?: Effort, depth = 1): JsonNode {
  if (typeof node === 'string') {
    spend(node.length, effort);
    return node;
  }
  // Moves may have nested the document deeper than a document may be.
  if (depth > MAX_DOCUMENT_DEPTH) throw tooDeep(MAX_DOCUMENT_DEPTH);
  const length = Array.isArray(node) ? node.length : node.size;
  // The brackets and the commas.
  spend(Math.max(2, length + 1), effort);
  if (Array.isArray(node)) {
    return node.map((element) => copyOf(element, effort, depth + 1));
  }
  const copy = new Map<string, JsonNode>();
  for (const [name, member] of node) {
    spend(name.length + 3, effort);
    copy.set(name, copyOf(member, effort, depth + 1));
  }
  return copy;
}

function spend(characters: number, effort: Effort | undefined): void {
  if (effort === undefined) return;
  effort.copyable -= characters;
  if (effort.copyable < 0) {
    throw new KeystowError(
      'too-large',
      `The values that this JSON Patch copies are larger than ${effort.maxBytes} bytes in all; copy less.`,
    );
  }
}

function conflict(label: string, reason: string): KeystowError {
  return new KeystowError('conflict', `${label}: ${reason}`);
}

function missing(label: string, member: 'path' | 'from'): KeystowError {
  return conflict(label, `"${member}" does not exist in the document.`);
}

function outOfBounds(label: string, array: JsonNode[]): KeystowError {
  return conflict(label, `the array has ${array.length} elements and no such index.`);
}
