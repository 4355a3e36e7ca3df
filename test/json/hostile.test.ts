import { describe, expect, test } from 'vitest';
import { equalJson } from '../../server/json/equal-json.ts';
import { applyJsonPatch } from '../../server/json/json-patch.ts';
import {
  type JsonNode,
  jsonDepth,
  parseLossless,
  stringifyLossless,
} from '../../server/json/lossless.ts';
import { mergePatch } from '../../server/json/merge-patch.ts';
import { MAX_DOCUMENT_DEPTH, MAX_PATCH_OPERATIONS } from '../../shared/limits.ts';

const MIB = 1_048_576;

const tooDeep = expect.objectContaining({
  code: 'bad-request',
  message: 'The JSON is nested more than 1000 levels deep; make it flatter.',
});
const tooLarge = expect.objectContaining({ code: 'too-large' });

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

function nestedObjects(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

function patchOf(operations: object[]): JsonNode {
  return parseLossless(JSON.stringify(operations));
}

/** A node that no text makes: deeper than the parser goes. */
function tower(depth: number): JsonNode {
  let node: JsonNode = '1';
  for (let level = 0; level < depth; level += 1) {
    node = level % 2 === 0 ? [node] : new Map([['a', node]]);
  }
  return node;
}

describe('nesting', () => {
  test.each([
    ['arrays', nested(MAX_DOCUMENT_DEPTH)],
    ['objects', nestedObjects(MAX_DOCUMENT_DEPTH)],
  ])('of %s up to the limit passes everything', (_, text) => {
    const node = parseLossless(text);
    expect(jsonDepth(text)).toBe(MAX_DOCUMENT_DEPTH);
    expect(stringifyLossless(node, MIB)).toBe(text);
    expect(equalJson(node, parseLossless(text))).toBe(true);
    expect(stringifyLossless(mergePatch(parseLossless(text), node), MIB)).toBe(text);
    const copied = applyJsonPatch(node, patchOf([{ op: 'copy', from: '', path: '' }]), MIB);
    expect(stringifyLossless(copied, MIB)).toBe(text);
  });

  test.each([
    ['one level more', nested(MAX_DOCUMENT_DEPTH + 1)],
    ['one object more', nestedObjects(MAX_DOCUMENT_DEPTH + 1)],
    ['100,000 levels', nested(100_000)],
    ['100,000 objects', nestedObjects(100_000)],
    ['1 MiB of [', '['.repeat(MIB)],
    ['1 MiB of {"":', '{"":'.repeat(MIB / 4)],
  ])('of %s is refused', (_, text) => {
    expect(() => parseLossless(text)).toThrow(tooDeep);
    expect(jsonDepth(text)).toBeGreaterThan(MAX_DOCUMENT_DEPTH);
  });

  test('beyond the limit that was passed is refused', () => {
    expect(parseLossless('[[]]', 2)).toEqual([[]]);
    expect(() => parseLossless('[[[]]]', 2)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('more than 2 levels') }),
    );
  });

  test('of a node 100,000 deep overflows nothing', () => {
    expect(() => stringifyLossless(tower(100_000), MIB)).toThrow(tooDeep);
    expect(equalJson(tower(100_000), tower(100_000))).toBe(true);
    expect(equalJson(tower(100_000), tower(99_998))).toBe(false);
    const copy = patchOf([{ op: 'copy', from: '', path: '' }]);
    expect(() => applyJsonPatch(tower(100_000), copy, MIB)).toThrow(tooDeep);
    expect(stringifyLossless(mergePatch(tower(100_000), '[]'), MIB)).toBe('[]');
  });

  test('that moves and copies build up is refused in the end', () => {
    // Every move puts all there is into a new place 900 levels down.
    const deep = parseLossless(nestedObjects(900));
    const path = '/a'.repeat(899);
    const operations = Array.from({ length: 5 }, () => [
      { op: 'add', path: '/next', value: JSON.parse(nestedObjects(900)) },
      { op: 'move', from: '/a', path: `/next${path}/a` },
      { op: 'move', from: '/next', path: '/a' },
    ]).flat();
    const built = applyJsonPatch(deep, patchOf(operations), MIB);
    expect(() => stringifyLossless(built, MIB)).toThrow(tooDeep);
    expect(() =>
      applyJsonPatch(built, patchOf([{ op: 'copy', from: '', path: '/a' }]), MIB),
    ).toThrow(tooDeep);
  });
});

describe('copies that double the document', () => {
  test.each([
    ['within an object', '{"a":1}', () => '/a'],
    ['under new names', '{}', (index: number) => `/${index}`],
    ['at the end of an array', '[]', () => '/-'],
    ['of a large member', `{"a":"${'x'.repeat(100_000)}"}`, (index: number) => `/${index}`],
  ])('%s end in too-large', (_, document, path) => {
    const operations = Array.from({ length: MAX_PATCH_OPERATIONS }, (_, index) => ({
      op: 'copy',
      from: '',
      path: path(index),
    }));
    expect(() => applyJsonPatch(parseLossless(document), patchOf(operations), MIB)).toThrow(
      tooLarge,
    );
  });

  test('over and over in one place end in too-large', () => {
    const operations = Array(20).fill({ op: 'copy', from: '/a', path: '/b' });
    const document = parseLossless(`{"a":"${'x'.repeat(100_000)}"}`);
    expect(() => applyJsonPatch(document, patchOf(operations), MIB)).toThrow(
      expect.objectContaining({
        message:
          'The values that this JSON Patch copies are larger than 1048576 bytes in all; copy less.',
      }),
    );
  });

  test('of as much as a document holds are made', () => {
    const text = `{"a":["é",{},[],{"b":1.0,"c":[1,2]}]}`;
    const size = text.length - '{"a":}'.length;
    const patch = patchOf([{ op: 'copy', from: '/a', path: '/b' }]);
    expect(() => applyJsonPatch(parseLossless(text), patch, size - 1)).toThrow(tooLarge);
    expect(stringifyLossless(applyJsonPatch(parseLossless(text), patch, size), MIB)).toBe(
      '{"a":["é",{},[],{"b":1.0,"c":[1,2]}],"b":["é",{},[],{"b":1.0,"c":[1,2]}]}',
    );
  });
});

describe('much work for a short text', () => {
  test('a number of 1 MiB that 1,000 tests compare with its short form', () => {
    const document = parseLossless(`[1${'0'.repeat(MIB)}]`);
    const patch = parseLossless(
      `[${Array(1_000).fill(`{"op":"test","path":"/0","value":1e${MIB}}`).join(',')}]`,
    );
    const times = [1, 2, 3].map(() => {
      const started = performance.now();
      applyJsonPatch(document, patch, MIB);
      return performance.now() - started;
    });
    // The quickest: a machine may stand still for a moment.
    expect(Math.min(...times)).toBeLessThan(2_000);
  });

  test.each([
    ['a number of 1 MiB', '9'.repeat(MIB)],
    ['an exponent of 1 MiB', `1e${'9'.repeat(MIB)}`],
    ['a string of 1 MiB', `"${'x'.repeat(MIB)}"`],
    ['a string of escapes', `"${'\\u0041'.repeat(MIB / 6)}"`],
    ['a string of backslashes', `"${'\\\\'.repeat(MIB / 2)}"`],
    ['a string of quotes', `"${'\\"'.repeat(MIB / 2)}"`],
  ])('%s is read, measured, compared and written', (_, scalar) => {
    const text = `[${scalar}]`;
    const node = parseLossless(text);
    expect(jsonDepth(text)).toBe(1);
    expect(equalJson(node, parseLossless(text))).toBe(true);
    expect(equalJson(node, ['1.0'])).toBe(false);
    expect(stringifyLossless(node, 2 * MIB) === text).toBe(true);
  });

  test('a path of 1 MiB', () => {
    const patch = patchOf([{ op: 'add', path: '/'.repeat(MIB), value: 1 }]);
    expect(() => applyJsonPatch(new Map(), patch, MIB)).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
  });
});

test('no patch reaches the prototypes of the server', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString'];
  for (const name of names) {
    const text = JSON.stringify({ planted: true });
    mergePatch(parseLossless('{}'), parseLossless(`{"${name}":{"prototype":${text},"planted":1}}`));
    const add = patchOf([{ op: 'add', path: `/${name}`, value: { planted: true } }]);
    const result = applyJsonPatch(parseLossless('{}'), add, MIB);
    expect(stringifyLossless(result, MIB)).toBe(`{"${name}":${text}}`);
    const below = patchOf([{ op: 'add', path: `/${name}/planted`, value: true }]);
    for (const document of ['{}', '[]']) {
      expect(() => applyJsonPatch(parseLossless(document), below, MIB)).toThrow(
        expect.objectContaining({ code: 'conflict' }),
      );
    }
  }
  for (const prototype of [Object.prototype, Array.prototype, Map.prototype, Object, Map]) {
    expect('planted' in prototype).toBe(false);
  }
});
