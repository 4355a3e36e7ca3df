import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitLines } from '../../shared/ndjson/lines.ts';
import { BrokenLineError, parseRecord } from '../../shared/ndjson/record.ts';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

async function split(text: string, chunkSize: number, maxLineBytes: number) {
  const lines: { text: string | undefined; number: number; end: number }[] = [];
  for await (const { bytes, ...line } of splitLines(
    inChunks(Buffer.from(text), chunkSize),
    maxLineBytes,
  )) {
    lines.push({ text: bytes && Buffer.from(bytes).toString(), ...line });
  }
  return lines;
}

describe('splitLines', () => {
  it('finds the same lines whatever the chunks are', async () => {
    const text = fc
      .array(fc.constantFrom('a', 'é', '\n', '\r', '{'))
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (input, chunkSize) => {
        const expected = input.split('\n');
        if (expected.at(-1) === '') {
          expected.pop();
        }
        const lines = await split(input, chunkSize, 1_000);
        expect(lines.map((line) => line.text)).toEqual(expected);
        expect(lines.map((line) => line.number)).toEqual(expected.map((_, index) => index + 1));
        expect(lines.at(-1)?.end ?? 0).toBe(Buffer.byteLength(input));
      }),
    );
  });

  it('throws away what is longer than allowed, and goes on after it', async () => {
    const lines = await split('12345\n123456\n\n1234567890123', 4, 5);
    expect(lines.map((line) => line.text)).toEqual(['12345', undefined, '', undefined]);
    expect(lines.map((line) => line.end)).toEqual([6, 13, 14, 27]);
  });
});

describe('parseRecord', () => {
  it('cuts the value out as it is', () => {
    const space = fc.constantFrom('', ' ', '\t', '  ');
    // Any JSON text, spread out or not: what JSON.stringify makes, with other white space.
    const value = fc
      .tuple(fc.json(), fc.constantFrom(undefined, 1, '\t'))
      .map(([json, indent]) => JSON.stringify(JSON.parse(json), null, indent))
      .map((json) => json.replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), value, fc.json(), space, (key, text, other, gap) => {
        const name = JSON.stringify(key);
        const line = `${gap}{${gap}"etag":${other},"key"${gap}:${name},"value":${gap}${text}${gap},"x":${other}}`;
        expect(parseRecord(Buffer.from(line))).toEqual({ key, value: text });
      }),
    );
  });

  it.each([
    ['{"key":"a","value":{"n":1.0}}', '{"n":1.0}'],
    ['{"value":[1,{"value":2}],"key":"a"}', '[1,{"value":2}]'],
    ['{"key":"a","v\\u0061lue":{}}', '{}'],
    ['{"key":"a","value":1,"value":{"last":1}}', '{"last":1}'],
    ['{"key":"a","value":"\\\\","z":"}"}', '"\\\\"'],
    ['\ufeff{"key":"a","value":{}}\r', '{}'],
    ['{"key":"a","value":{},"__proto__":{"value":1}}', '{}'],
  ])('reads %s', (line, value) => {
    expect(parseRecord(Buffer.from(line))).toEqual({ key: 'a', value });
  });

  it.each([
    '',
    'null',
    '[]',
    '"key"',
    '{"key":"a"}',
    '{"value":{}}',
    '{"key":null,"value":{}}',
    '{"key":"a\\ud800","value":{}}',
    '{"key":"a","value":{}} {}',
    '{"key":"a","value":}',
    '{"__proto__":{"key":"a"},"value":{}}',
    '{"key":"a","x":{"value":{}}}',
  ])('refuses %j', (line) => {
    expect(() => parseRecord(Buffer.from(line))).toThrow(BrokenLineError);
  });
});
