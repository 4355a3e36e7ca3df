import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The examples of RFC 7396 and RFC 6902 over the wire. */

let server: TestServer;
let rest: Rest;
let count = 0;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

async function patched(format: string, document: string, patch: string) {
  count += 1;
  const path = `/data/example-${count}`;
  await rest('POST', path, document);
  const answer = await rest('PATCH', path, patch, {
    'content-type': `application/${format}+json`,
  });
  const stored = (await rest('GET', path)).text;
  return { answer, stored };
}

describe('application/merge-patch+json, RFC 7396 appendix A', () => {
  it.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s with %s is %s', async (document, patch, expected) => {
    const { answer, stored } = await patched('merge-patch', document, patch);
    expect([answer.status, answer.text, stored]).toEqual([200, expected, expected]);
  });

  it.each(['null', '"bar"', '3'])(
    'that would leave %s is 400: that is no document',
    async (patch) => {
      const { answer, stored } = await patched('merge-patch', '{"a":"foo"}', patch);
      expectError(answer, 400);
      expect(stored).toBe('{"a":"foo"}');
    },
  );
});

describe('application/json-patch+json, RFC 6902 appendix A', () => {
  it.each([
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
    [
      'copy',
      '{"a":{"b":1.0}}',
      '[{"op":"copy","from":"/a","path":"/c"}]',
      '{"a":{"b":1.0},"c":{"b":1.0}}',
    ],
    ['the whole', '{"a":1}', '[{"op":"replace","path":"","value":[1]}]', '[1]'],
    ['no operation', '{"a" : 1.0}', '[]', '{"a":1.0}'],
    [
      '__proto__',
      '{}',
      '[{"op":"add","path":"/__proto__","value":{"x":1}}]',
      '{"__proto__":{"x":1}}',
    ],
  ])('%s', async (_name, document, patch, expected) => {
    const { answer, stored } = await patched('json-patch', document, patch);
    expect([answer.status, answer.text, stored]).toEqual([200, expected, expected]);
  });

  it.each([
    ['A.9, a test that fails', '{"baz":"qux"}', '[{"op":"test","path":"/baz","value":"bar"}]'],
    [
      'A.12, a parent that is missing',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/baz/bat","value":"qux"}]',
    ],
    [
      'A.15, a string is no number',
      '{"/":9,"~1":10}',
      '[{"op":"test","path":"/~01","value":"10"}]',
    ],
    ['a path that is missing', '{"a":1}', '[{"op":"remove","path":"/b"}]'],
    ['a replaced member that is missing', '{"a":1}', '[{"op":"replace","path":"/b","value":1}]'],
    ['an index out of bounds', '{"a":[1]}', '[{"op":"add","path":"/a/2","value":1}]'],
    ['an index with a leading zero', '{"a":[1,2]}', '[{"op":"remove","path":"/a/01"}]'],
    ['a from that is missing', '{"a":1}', '[{"op":"move","from":"/b","path":"/c"}]'],
    ['an inherited member', '{}', '[{"op":"test","path":"/__proto__","value":{}}]'],
    [
      'the second of two',
      '{"a":1}',
      '[{"op":"add","path":"/b","value":2},{"op":"test","path":"/a","value":2}]',
    ],
  ])('%s is 409 and changes nothing', async (_name, document, patch) => {
    const { answer, stored } = await patched('json-patch', document, patch);
    expectError(answer, 409);
    expect(stored).toBe(document);
  });

  it.each([
    ['an object', '{"op":"remove","path":"/a"}'],
    ['a scalar', '3'],
    ['an unknown op', '[{"op":"spam","path":"/a"}]'],
    ['no op', '[{"path":"/a"}]'],
    ['no path', '[{"op":"remove"}]'],
    ['a path that is no pointer', '[{"op":"remove","path":"a"}]'],
    ['a bad escape in the path', '[{"op":"remove","path":"/~2"}]'],
    ['a path that is no string', '[{"op":"remove","path":1}]'],
    ['no value', '[{"op":"add","path":"/b"}]'],
    ['no from', '[{"op":"copy","path":"/b"}]'],
    ['an operation that is no object', '["remove"]'],
    ['a scalar for the whole', '[{"op":"replace","path":"","value":3}]'],
    ['nothing for the whole', '[{"op":"remove","path":""}]'],
    ['a move into itself', '[{"op":"move","from":"/a","path":"/a/b"}]'],
  ])('%s is 400 and changes nothing', async (_name, patch) => {
    const { answer, stored } = await patched('json-patch', '{"a":{}}', patch);
    expectError(answer, 400);
    expect(stored).toBe('{"a":{}}');
  });
});
