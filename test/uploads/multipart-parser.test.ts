import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createMultipartParser } from '../../server/http/multipart-parser.ts';
import { boundaryOf, parsePartHeaders } from '../../server/http/part-headers.ts';
import { S3Error } from '../../server/s3/s3-error.ts';
import { runs } from '../support/long-runs.ts';
import { readMultipart } from '../support/multipart-oracle.ts';
import { mutateForm } from '../support/mutated-forms.ts';

/** The parser alone, in the pieces that it is given, beside a second one. */

interface ReadPart {
  readonly name: string;
  readonly filename: string | null | undefined;
  /** As Latin-1: one character a byte, which compares quickly. */
  readonly content: string;
}

const base = {
  fields: [
    ['key', 'saves/name'],
    ['Content-Type', 'text/plain'],
  ] as [string, string][],
  file: Buffer.from('some\r\n--bytes'),
};
const FORMS = runs(400, 20_000);

/** All parts; throws the error that they end with. */
function readAll(boundary: Buffer, chunks: readonly Buffer[]): ReadPart[] {
  const parser = createMultipartParser(boundary);
  const unpushed = [...chunks];
  const more = (): void => {
    const chunk = unpushed.shift();
    if (chunk) parser.push(chunk);
    else parser.end();
  };
  const contentInPieces = (): Buffer => {
    const pieces: Buffer[] = [];
    for (;;) {
      const piece = parser.nextContent();
      if (piece === undefined) return Buffer.concat(pieces);
      if (piece === 'more') more();
      else pieces.push(Buffer.from(piece));
    }
  };
  const parts: ReadPart[] = [];
  for (;;) {
    const block = parser.nextPart();
    if (!block) return parts;
    if (block === 'more') {
      more();
      continue;
    }
    const { name, filename } = parsePartHeaders(block);
    const content = parser.wholeContent() ?? contentInPieces();
    parts.push({ name, filename, content: content.toString('latin1') });
  }
}

/** All parts, or what is wrong with them. */
function readOrMessage(boundary: Buffer, chunks: readonly Buffer[]): ReadPart[] | string {
  try {
    return readAll(boundary, chunks);
  } catch (error) {
    if (error instanceof S3Error) return error.message;
    throw error;
  }
}

function form(boundary: string, ...contents: string[]): Buffer {
  const parts = contents.map(
    (content, at) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="p${at}"\r\n\r\n${content}\r\n`,
  );
  return Buffer.from(`${parts.join('')}--${boundary}--\r\n`, 'latin1');
}

function contentsOf(boundary: string, chunks: readonly Buffer[]): string[] {
  const parts = readAll(Buffer.from(boundary), chunks);
  return parts.map(({ content }) => content);
}

it('finds the delimiter behind content that is made of its beginnings', async () => {
  const delimiter = '\r\n--boundary';
  const beginnings = Array.from({ length: delimiter.length }, (_, end) => delimiter.slice(0, end));
  for (const content of [...beginnings, beginnings.join(''), `${delimiter}-`, `${delimiter}x`]) {
    const body = form('boundary', content.repeat(3), content);
    const expected = [content.repeat(3), content];
    for (let cut = 0; cut < body.length; cut += 1) {
      const chunks = [body.subarray(0, cut), body.subarray(cut)];
      expect(await contentsOf('boundary', chunks)).toEqual(expected);
    }
  }
});

describe('a multipart body', () => {
  it('is read as a second parser reads it, or refused as malformed', {
    timeout: 300_000,
  }, () => {
    let compared = 0;
    for (let seed = 0; seed < FORMS; seed += 1) {
      const { contentType, body, chunks } = mutateForm(seed, base);
      const expected = readMultipart(contentType, body);
      const boundary = boundaryOf(contentType);
      if (!boundary) {
        expect(expected, `seed ${seed}`).toBeUndefined();
        continue;
      }
      const read = readOrMessage(boundary, chunks ?? [body]);
      if (!expected) continue;
      compared += 1;
      const plain = expected.map(({ name, filename, content }) => ({
        name,
        filename,
        content: content.toString('latin1'),
      }));
      expect(isDeepStrictEqual(read, plain), `seed ${seed}`).toBe(true);
    }
    expect(compared).toBeGreaterThan(FORMS / 5);
  });

  const tricky = [
    '',
    '\r',
    '\n',
    '\r\n',
    '\r\n-',
    '\r\n--',
    '\r\n--B',
    '\r\n--Box',
    '\r\n--Bo-',
    '\r\n--Bo \t x',
    '\r\r\n--B\r\n--B\r\n',
    '--Box\r\n',
    'a\r\n--Bo\nb',
  ];

  it.each(tricky)('gives back %j, wherever the pieces are cut', (content) => {
    const body = form('Bo', content, 'z');
    const expected = [content, 'z'];
    for (let at = 0; at <= body.length; at += 1) {
      const chunks = [body.subarray(0, at), body.subarray(at)].filter((part) => part.length > 0);
      expect(contentsOf('Bo', chunks), `cut at ${at}`).toEqual(expected);
    }
    const bytes = Array.from(body, (byte) => Buffer.from([byte]));
    expect(contentsOf('Bo', bytes)).toEqual(expected);
  });

  it.each([
    ['no line end at its end', '--B--', []],
    ['dashes behind its end', '--B----\r\n', []],
    [
      'a preamble',
      'hello\r\n--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--',
      ['x'],
    ],
    ['padding', '--B \t\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B-- \r\n', ['x']],
    [
      'a blank line that is the line end of the next delimiter',
      '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n--B\r\nContent-Disposition: form-data; name="b"\r\n\r\ny\r\n--B--',
      ['', 'y'],
    ],
    [
      'folded headers',
      '--B\r\nContent-Disposition: form-data;\r\n  name="a"\r\n\r\nx\r\n--B--',
      ['x'],
    ],
  ])('may have %s', (_what, body, expected) => {
    expect(contentsOf('B', [Buffer.from(body)])).toEqual(expected);
  });

  it('that is cut short anywhere is refused', () => {
    const body = form('B', 'first', 'second');
    const end = body.indexOf('--B--') + '--B--'.length;
    for (let length = 0; length < end; length += 1) {
      const cut = body.subarray(0, length);
      expect(() => readAll(Buffer.from('B'), [cut]), `${length} bytes`).toThrow(
        expect.objectContaining({ code: 'MalformedPOSTRequest' }),
      );
    }
  });
});
