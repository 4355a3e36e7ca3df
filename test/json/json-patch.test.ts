import { describe, expect, test } from 'vitest';
import { applyJsonPatch } from '../../server/json/json-patch.ts';
import { parseLossless, stringifyLossless } from '../../server/json/lossless.ts';
import { MAX_PATCH_OPERATIONS } from '../../shared/limits.ts';

const MAX_BYTES = 10_000;

function patched(document: string, patch: string): string {
  const result = applyJsonPatch(parseLossless(document), parseLossless(patch), MAX_BYTES);
  return stringifyLossless(result, MAX_BYTES);
}

function error(code: string, message?: string): unknown {
  return expect.objectContaining(message === undefined ? { code } : { code, message });
}

describe('the examples of RFC 6902 appendix A', () => {
  test.each([
    [
      'A.1',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/baz","value":"qux"}]',
      '{"foo":"bar","baz":"qux"}',
    ],
    [
      'A.2',
      '{"foo":["bar","baz"]}',
      '[{"op":"add","path":"/foo/1","value":"qux"}]',
      '{"foo":["bar","qux","baz"]}',
    ],
    ['A.3', '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'],
    [
      'A.4',
      '{"foo":["bar","qux","baz"]}',
      '[{"op":"remove","path":"/foo/1"}]',
      '{"foo":["bar","baz"]}',
    ],
    [
      'A.5',
      '{"baz":"qux","foo":"bar"}',
      '[{"op":"replace","path":"/baz","value":"boo"}]',
      '{"baz":"boo","foo":"bar"}',
    ],
    [
      'A.6',
      '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ],
    [
      'A.7',
      '{"foo":["all","grass","cows","eat"]}',
      '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
      '{"foo":["all","cows","eat","grass"]}',
    ],
    [
      'A.8',
      '{"baz":"qux","foo":["a",2,"c"]}',
      '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
      '{"baz":"qux","foo":["a",2,"c"]}',
    ],
    [
      'A.10',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
      '{"foo":"bar","child":{"grandchild":{}}}',
    ],
    [
      'A.11',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/baz","value":"qux","xyz":123}]',
      '{"foo":"bar","baz":"qux"}',
    ],
    ['A.14', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":10}]', '{"/":9,"~1":10}'],
    [
      'A.16',
      '{"foo":["bar"]}',
      '[{"op":"add","path":"/foo/-","value":["abc","def"]}]',
      '{"foo":["bar",["abc","def"]]}',
    ],
  ])('%s', (_, document, patch, result) => {
    expect(patched(document, patch)).toBe(result);
  });

  test.each([
    ['A.9', '{"baz":"qux"}', '[{"op":"test","path":"/baz","value":"bar"}]'],
    ['A.12', '{"foo":"bar"}', '[{"op":"add","path":"/baz/bat","value":"qux"}]'],
    ['A.15', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":"10"}]'],
  ])('%s is a conflict', (_, document, patch) => {
    expect(() => patched(document, patch)).toThrow(error('conflict'));
  });

  test('A.13: of two members "op" the last one counts, as everywhere in Keystow', () => {
    const patch = '[{"op":"add","path":"/baz","value":"qux","op":"remove"}]';
    expect(() => patched('{"foo":"bar"}', patch)).toThrow(
      error('conflict', 'Operation 0 (remove /baz): "path" does not exist in the document.'),
    );
  });
});

describe('applyJsonPatch', () => {
  test.each([
    ['no operations', '{"b":1.0,"1":2}', '[]', '{"b":1.0,"1":2}'],
    ['add over a null', '{"a":null}', '[{"op":"add","path":"/a","value":1}]', '{"a":1}'],
    [
      'add keeps the place of a member',
      '{"a":1,"b":2}',
      '[{"op":"add","path":"/a","value":3}]',
      '{"a":3,"b":2}',
    ],
    ['add to an empty array', '[]', '[{"op":"add","path":"/0","value":"a"}]', '["a"]'],
    ['add at the start', '[1,2]', '[{"op":"add","path":"/0","value":0}]', '[0,1,2]'],
    ['add one past the end', '[1,2]', '[{"op":"add","path":"/2","value":3}]', '[1,2,3]'],
    ['add does not flatten', '[1,2]', '[{"op":"add","path":"/1","value":[3,4]}]', '[1,[3,4],2]'],
    [
      'add to a nested end',
      '[1,[2,[3]]]',
      '[{"op":"add","path":"/1/1/-","value":{}}]',
      '[1,[2,[3,{}]]]',
    ],
    ['add replaces the document', '{"a":1}', '[{"op":"add","path":"","value":[]}]', '[]'],
    ['add the empty name', '{}', '[{"op":"add","path":"/","value":1}]', '{"":1}'],
    [
      'add the empty name below',
      '{"a":{}}',
      '[{"op":"add","path":"/a/","value":1}]',
      '{"a":{"":1}}',
    ],
    ['an index as a name', '{"a":1}', '[{"op":"add","path":"/0","value":2}]', '{"a":1,"0":2}'],
    ['- as a name', '{}', '[{"op":"add","path":"/-","value":1}]', '{"-":1}'],
    ['01 as a name', '{"01":1}', '[{"op":"test","path":"/01","value":1}]', '{"01":1}'],
    ['add null', '{}', '[{"op":"add","path":"/a","value":null}]', '{"a":null}'],
    ['remove a null', '{"a":null}', '[{"op":"remove","path":"/a"}]', '{}'],
    ['remove below an array', '[{"a":1}]', '[{"op":"remove","path":"/0/a"}]', '[{}]'],
    [
      'indices as they are after the operation before',
      '[1,2,3,4]',
      '[{"op":"remove","path":"/1"},{"op":"remove","path":"/2"}]',
      '[1,3]',
    ],
    ['replace the document', '{"a":1}', '[{"op":"replace","path":"","value":{"b":2}}]', '{"b":2}'],
    ['replace an element', '[""]', '[{"op":"replace","path":"/0","value":false}]', '[false]'],
    [
      'replace keeps the place',
      '{"a":1,"b":2}',
      '[{"op":"replace","path":"/a","value":null}]',
      '{"a":null,"b":2}',
    ],
    ['move a null', '{"a":null}', '[{"op":"move","from":"/a","path":"/b"}]', '{"b":null}'],
    [
      'move to where it is',
      '{"a":1,"b":2}',
      '[{"op":"move","from":"/a","path":"/a"}]',
      '{"a":1,"b":2}',
    ],
    ['move the document to itself', '{"a":1}', '[{"op":"move","from":"","path":""}]', '{"a":1}'],
    ['move over another', '{"a":1,"b":2}', '[{"op":"move","from":"/a","path":"/b"}]', '{"b":1}'],
    [
      'move over its parent',
      '{"a":{"b":1}}',
      '[{"op":"move","from":"/a/b","path":"/a"}]',
      '{"a":1}',
    ],
    ['move over the document', '{"a":{"b":1}}', '[{"op":"move","from":"/a","path":""}]', '{"b":1}'],
    [
      'move to a name that begins alike',
      '{"a":1}',
      '[{"op":"move","from":"/a","path":"/ab"}]',
      '{"ab":1}',
    ],
    ['move within an array', '[1,2,3]', '[{"op":"move","from":"/2","path":"/0"}]', '[3,1,2]'],
    ['move to the end', '[1,2,3]', '[{"op":"move","from":"/0","path":"/-"}]', '[2,3,1]'],
    [
      'move out of an element',
      '{"a":[{"b":1}]}',
      '[{"op":"move","from":"/a/0/b","path":"/a/1"}]',
      '{"a":[{},1]}',
    ],
    [
      'copy',
      '{"a":[{"b":1}]}',
      '[{"op":"copy","from":"/a/0","path":"/c"}]',
      '{"a":[{"b":1}],"c":{"b":1}}',
    ],
    [
      'copy into itself',
      '{"a":{"b":1}}',
      '[{"op":"copy","from":"/a","path":"/a/c"}]',
      '{"a":{"b":1,"c":{"b":1}}}',
    ],
    [
      'a copy is apart from its origin',
      '{"a":[1]}',
      '[{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/-","value":2}]',
      '{"a":[1],"b":[1,2]}',
    ],
    ['test null', '{"a":null}', '[{"op":"test","path":"/a","value":null}]', '{"a":null}'],
    ['test the document', '{"a":1}', '[{"op":"test","path":"","value":{"a":1.0}}]', '{"a":1}'],
    [
      'test in any order',
      '[{"a":1,"b":2}]',
      '[{"op":"test","path":"/0","value":{"b":2,"a":1}}]',
      '[{"a":1,"b":2}]',
    ],
    ['test by number', '{"a":1.0}', '[{"op":"test","path":"/a","value":10e-1}]', '{"a":1.0}'],
    ['a name like a number', '{"1e0":1}', '[{"op":"test","path":"/1e0","value":1}]', '{"1e0":1}'],
    [
      'the number text of what it does not change',
      '{"a":1.0,"b":9007199254740993,"c":[1e2]}',
      '[{"op":"move","from":"/a","path":"/d"},{"op":"add","path":"/c/0","value":2.50}]',
      '{"b":9007199254740993,"c":[2.50,1e2],"d":1.0}',
    ],
    [
      '__proto__ as an ordinary name',
      '{"__proto__":{"a":1}}',
      '[{"op":"add","path":"/__proto__/b","value":2},{"op":"copy","from":"/__proto__","path":"/constructor"}]',
      '{"__proto__":{"a":1,"b":2},"constructor":{"a":1,"b":2}}',
    ],
  ])('%s', (_, document, patch, result) => {
    expect(patched(document, patch)).toBe(result);
  });

  test.each([
    ['add past the end', '[1,2]', '[{"op":"add","path":"/3","value":1}]'],
    ['add at a negative index', '[1,2]', '[{"op":"add","path":"/-1","value":1}]'],
    ['add at a name of an array', '[1,2]', '[{"op":"add","path":"/a","value":1}]'],
    ['add at 1e0', '[1,2]', '[{"op":"add","path":"/1e0","value":1}]'],
    ['add at an index with a leading zero', '[1,2]', '[{"op":"add","path":"/01","value":1}]'],
    ['add at an enormous index', '[1,2]', `[{"op":"add","path":"/${'9'.repeat(400)}","value":1}]`],
    ['add below a scalar', '{"a":"b"}', '[{"op":"add","path":"/a/0","value":1}]'],
    ['add below an absent member', '{}', '[{"op":"add","path":"/a/b","value":1}]'],
    ['add below what objects inherit', '{}', '[{"op":"add","path":"/__proto__/a","value":1}]'],
    ['remove an absent member', '{"a":1}', '[{"op":"remove","path":"/b"}]'],
    ['remove what objects inherit', '{}', '[{"op":"remove","path":"/toString"}]'],
    ['remove past the end', '[1,2]', '[{"op":"remove","path":"/2"}]'],
    ['remove the element after the last', '[1,2]', '[{"op":"remove","path":"/-"}]'],
    ['remove below a scalar', '{"a":"b"}', '[{"op":"remove","path":"/a/0"}]'],
    ['replace an absent member', '{"a":1}', '[{"op":"replace","path":"/b","value":1}]'],
    ['replace below an absent member', '{"a":1}', '[{"op":"replace","path":"/b/c","value":1}]'],
    ['replace the element after the last', '[1]', '[{"op":"replace","path":"/-","value":1}]'],
    ['replace past the end', '[1]', '[{"op":"replace","path":"/1","value":1}]'],
    ['replace at 1e0', '[1,2]', '[{"op":"replace","path":"/1e0","value":1}]'],
    ['replace the length of an array', '[1]', '[{"op":"replace","path":"/length","value":0}]'],
    ['test at a leading zero', '["a"]', '[{"op":"test","path":"/00","value":"a"}]'],
    ['test the element after the last', '[1]', '[{"op":"test","path":"/-","value":1}]'],
    ['test an absent member for null', '{}', '[{"op":"test","path":"/a","value":null}]'],
    ['test a longer array', '{"a":[1,2,3]}', '[{"op":"test","path":"/a","value":[1,2]}]'],
    [
      'test neighbours beyond 2^53',
      '[9007199254740993]',
      '[{"op":"test","path":"/0","value":9007199254740992}]',
    ],
    ['move an absent member', '{}', '[{"op":"move","from":"/a","path":"/b"}]'],
    ['move an absent member to itself', '{}', '[{"op":"move","from":"/a","path":"/a"}]'],
    ['move to the end that was', '[1,2]', '[{"op":"move","from":"/0","path":"/2"}]'],
    ['copy an absent member', '{}', '[{"op":"copy","from":"/a","path":"/b"}]'],
    ['copy from 1e0', '{"a":[1,2]}', '[{"op":"copy","from":"/a/1e0","path":"/b"}]'],
    ['copy what objects inherit', '{}', '[{"op":"copy","from":"/constructor","path":"/a"}]'],
  ])('%s: a conflict', (_, document, patch) => {
    expect(() => patched(document, patch)).toThrow(error('conflict'));
  });

  test.each([
    ['an object', '{"op":"add","path":"/a","value":1}'],
    ['a scalar', '"add"'],
    ['an operation that is a scalar', '[1]'],
    ['an operation that is an array', '[["add"]]'],
    ['no op', '[{"path":"/a","value":1}]'],
    ['an op that is no string', '[{"op":true,"path":"/a","value":1}]'],
    ['an unknown op', '[{"op":"spam","path":"/a","value":1}]'],
    ['an op in capitals', '[{"op":"ADD","path":"/a","value":1}]'],
    ['no path', '[{"op":"add","value":1}]'],
    ['a path that is no string', '[{"op":"add","path":null,"value":1}]'],
    ['a path without a slash', '[{"op":"add","path":"a","value":1}]'],
    ['a path with a bad escape', '[{"op":"add","path":"/~2","value":1}]'],
    ['add without a value', '[{"op":"add","path":"/b"}]'],
    ['replace without a value', '[{"op":"replace","path":"/a"}]'],
    ['test without a value', '[{"op":"test","path":"/a"}]'],
    ['copy without from', '[{"op":"copy","path":"/b"}]'],
    ['move without from', '[{"op":"move","path":"/b"}]'],
    ['a from that is no string', '[{"op":"move","from":["a"],"path":"/b"}]'],
    ['a from without a slash', '[{"op":"copy","from":"a","path":"/b"}]'],
    ['a move into a child', '[{"op":"move","from":"/a","path":"/a/b"}]'],
    ['a move of the document into itself', '[{"op":"move","from":"","path":"/a"}]'],
    ['a removal of the document', '[{"op":"remove","path":""}]'],
  ])('%s: a bad request', (_, patch) => {
    expect(() => patched('{"a":{"b":1}}', patch)).toThrow(error('bad-request'));
  });

  test('a malformed operation is a bad request even behind one that fails', () => {
    const patch = '[{"op":"remove","path":"/absent"},{"op":"spam","path":"/a"}]';
    expect(() => patched('{}', patch)).toThrow(error('bad-request'));
  });

  test('takes as many operations as the limit says', () => {
    const operations = Array(MAX_PATCH_OPERATIONS).fill('{"op":"add","path":"/-","value":1}');
    expect(patched('[]', `[${operations.join(',')}]`)).toBe(
      `[${Array(MAX_PATCH_OPERATIONS).fill(1).join(',')}]`,
    );
    expect(() => patched('[]', `[${operations.join(',')},${operations[0]}]`)).toThrow(
      error('bad-request', 'A JSON Patch may have at most 1000 operations; this one has 1001.'),
    );
  });

  test('leaves the patch as it is, so that it can be applied again', () => {
    const patch = parseLossless(
      '[{"op":"add","path":"/a","value":[{}]},{"op":"add","path":"/a/0/b","value":1},{"op":"add","path":"/a/-","value":2}]',
    );
    for (const result of ['{"a":[{"b":1},2]}', '{"a":[{"b":1},2]}']) {
      const document = applyJsonPatch(parseLossless('{}'), patch, MAX_BYTES);
      expect(stringifyLossless(document, MAX_BYTES)).toBe(result);
    }
  });
});

describe('messages', () => {
  test.each([
    [
      '{"a":{"b":1}}',
      '{"op":"test","path":"/a/b","value":2}',
      'Operation 1 (test /a/b): the value is different.',
    ],
    [
      '{}',
      '{"op":"copy","from":"/x","path":"/y"}',
      'Operation 1 (copy /y): "from" does not exist in the document.',
    ],
    [
      '[1,2]',
      '{"op":"add","path":"/7","value":1}',
      'Operation 1 (add /7): the array has 2 elements and no such index.',
    ],
    [
      '{"a":1}',
      '{"op":"add","path":"/a/b","value":1}',
      'Operation 1 (add /a/b): a scalar has no members; choose another "path".',
    ],
    ['{}', '{"path":"/a"}', 'Operation 1: it needs a member "op" that is a string.'],
    ['{}', '{"op":"add","path":"/a"}', 'Operation 1 (add /a): it needs a member "value".'],
    [
      '{}',
      '{"op":"jump","path":"/a"}',
      'Operation 1 (jump /a): "op" must be add, remove, replace, move, copy or test.',
    ],
    [
      '{}',
      '{"op":"add","path":"a/b","value":1}',
      'Operation 1 (add a/b): the JSON Pointer "a/b" must be empty or begin with "/".',
    ],
    [
      '{}',
      '{"op":"add","path":"/~x","value":1}',
      'Operation 1 (add /~x): the JSON Pointer "/~x" must write "~" as "~0" and "/" as "~1".',
    ],
  ])('on %s: %s', (document, operation, message) => {
    const patch = `[{"op":"test","path":"","value":${document}},${operation}]`;
    expect(() => patched(document, patch)).toThrow(expect.objectContaining({ message }));
  });

  test('show at most 100 characters of a path', () => {
    const patch = `[{"op":"remove","path":"/${'x'.repeat(5_000)}"}]`;
    expect(() => patched('{}', patch)).toThrow(
      error(
        'conflict',
        `Operation 0 (remove /${'x'.repeat(99)}…): "path" does not exist in the document.`,
      ),
    );
  });
});
