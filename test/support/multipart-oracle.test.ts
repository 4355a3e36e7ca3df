import { describe, expect, test } from 'vitest';
import { buildFormBody, formContentType, formPart } from './form-body.ts';
import { readMultipart } from './multipart-oracle.ts';

const KEY = 'Content-Disposition: form-data; name="key"';

/** The name, file name and content of every part. */
function read(contentType: string, body: Buffer | string): unknown {
  return readMultipart(contentType, Buffer.from(body))?.map(({ name, filename, content }) => [
    name,
    filename,
    content.toString('latin1'),
  ]);
}

function readHeaderLines(...headers: (string | Buffer)[]): unknown {
  return read(
    formContentType('b'),
    buildFormBody({ boundary: 'b', parts: [{ headers, content: 'v' }] }),
  );
}

const TWO_PARTS = [formPart('key', 'v'), formPart('file', '', { filename: 'a' })];
const READ_TWO = [
  ['key', undefined, 'v'],
  ['file', 'a', ''],
];

describe('boundaries', () => {
  test.each([
    "'()+_,-./:=?",
    'a b',
    '-',
    '--',
    '--------BOUNDARY--------B34F03DAD085D8D5--',
    'x'.repeat(70),
  ])('%s is taken in quotes', (boundary) => {
    const body = buildFormBody({ boundary, parts: TWO_PARTS });
    expect(read(formContentType(boundary, { quoted: true }), body)).toEqual(READ_TWO);
  });

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    'multipart/form-data; boundary="b',
    'multipart/form-data; boundary=b;',
    'multipart/form-data; boundary = b',
    'multipart/form-data; boundary=b; boundary=b',
    "multipart/form-data; boundary=b; boundary*=utf-8''b",
    'multipart/form-data, boundary=b',
    'multipart/form-datab; boundary=b',
    'multipart/mixed; boundary=b',
    'multipart/form-data; boundary=c',
  ])('%s is not taken', (contentType) => {
    expect(read(contentType, buildFormBody({ boundary: 'b', parts: TWO_PARTS }))).toBeUndefined();
  });

  test.each(['b ', 'x'.repeat(71), 'a/b', 'b;', 'b"'])('%j is not taken bare', (boundary) => {
    const body = buildFormBody({ boundary, parts: TWO_PARTS });
    expect(read(formContentType(boundary), body)).toBeUndefined();
  });

  test('may stand in other case, among other parameters', () => {
    const body = buildFormBody({ boundary: 'b', parts: TWO_PARTS });
    expect(read('Multipart/Form-Data;charset="utf-8" ; BOUNDARY=b', body)).toEqual(READ_TWO);
  });
});

describe('around the parts', () => {
  test.each([
    { preamble: '' },
    { preamble: 'Hello.\r\n -- b\r\nx--b' },
    { epilogue: '\r\n--b\r\nmore\r\n--b--' },
    { finalLineEnd: false },
    { padding: ' \t ' },
    { padding: '\t', finalLineEnd: false },
  ])('%j is taken', (extra) => {
    const body = buildFormBody({ boundary: 'b', parts: TWO_PARTS, ...extra });
    expect(read(formContentType('b'), body)).toEqual(READ_TWO);
  });

  test.each([
    { parts: [] },
    { lineEnd: '\n' },
    { padding: 'x' },
    { padding: '-' },
    { finalLineEnd: false, epilogue: '--' },
    { preamble: '--bc' },
  ])('%j is not taken', (extra) => {
    const body = buildFormBody({ boundary: 'b', parts: TWO_PARTS, ...extra });
    expect(read(formContentType('b'), body)).toBeUndefined();
  });

  test('a form cut anywhere before its closing dashes is not taken', () => {
    const body = buildFormBody({ boundary: 'b', parts: TWO_PARTS, finalLineEnd: false });
    for (let end = 0; end < body.length; end += 1) {
      expect(read(formContentType('b'), body.subarray(0, end))).toBeUndefined();
    }
  });

  test('delimiters in a row and a blank line shared with a delimiter are not taken', () => {
    const rest = `--b\r\n${KEY}\r\n\r\nv\r\n--b--\r\n`;
    expect(read(formContentType('b'), rest)).toBeDefined();
    expect(read(formContentType('b'), `--b\r\n${rest}`)).toBeUndefined();
    expect(read(formContentType('b'), `--b\r\n${KEY}\r\n${rest}`)).toBeUndefined();
    expect(read(formContentType('b'), `--b\r\n${KEY}\r\n\r\n${rest}`)).toBeUndefined();
  });
});

describe('contents', () => {
  test.each(['', '\r\n', '\r', '\n--b--', '-\r\n--B', 'x--b--\r\n', '\r\r\n-\r\n--\r\n', 'é'])(
    '%j come back as they are',
    (content) => {
      const body = buildFormBody({ boundary: 'b', parts: [formPart('file', content)] });
      expect(readMultipart(formContentType('b'), body)?.[0]?.content.toString()).toBe(content);
    },
  );

  test.each(['\r\n--bc', '--b-', 'x\r\n--b\r\ny'])('%j makes a form doubtful', (content) => {
    const body = buildFormBody({ boundary: 'b', parts: [formPart('file', content)] });
    expect(read(formContentType('b'), body)).toBeUndefined();
  });
});

describe('headers', () => {
  test.each([
    [[KEY, 'X: y']],
    [['x: y', 'x:z', 'CONTENT-DISPOSITION:FORM-DATA;NAME=key']],
    [['Content-Disposition: form-data;\r\n\tname="key"']],
    [[`${KEY} \t`, 'Content-Transfer-Encoding: base64']],
    [[`${KEY}; size=1`]],
  ])('%j are taken', (lines) => {
    expect(readHeaderLines(...lines)).toEqual([['key', undefined, 'v']]);
  });

  test.each([
    [[]],
    [['X: y']],
    [[KEY, KEY]],
    [[KEY, 'Content-Type: a/b', 'Content-Type: a/b']],
    [[KEY, 'no colon']],
    [[KEY, ': no name']],
    [[KEY, 'X : y']],
    [[` ${KEY}`]],
    [[KEY, '  \t']],
    [[`${KEY}\nX: y`]],
    [[`${KEY}\rX: y`]],
    [[KEY, 'X: \0']],
    [[KEY, Buffer.from([0x58, 0x3a, 0xff])]],
    [[KEY, `X: ${'y'.repeat(9_000)}`]],
    [[KEY, ...Array.from({ length: 70 }, () => 'X: y')]],
    [['Content-Disposition: attachment; name="key"']],
    [['Content-Disposition: form-data']],
    [['Content-Disposition: form-data; name=""']],
    [['Content-Disposition: form-data; name="key']],
    [['Content-Disposition: form-data; name="key" x']],
    [["Content-Disposition: form-data; name='a b'"]],
    [[`${KEY}; name="key"`]],
    [[`${KEY}; filename*=utf-8''x`]],
    [[`${KEY}; filename="\\\\server\\x"`]],
    [[`${KEY}; filename="C:\\"`]],
    [[`${KEY};`]],
  ])('%j are not taken', (lines) => {
    expect(readHeaderLines(...lines)).toBeUndefined();
  });

  test.each([
    ['C:\\Program Files\\directory1\\file.txt', 'C:\\Program Files\\directory1\\file.txt'],
    ['a\\"b.txt', 'a"b.txt'],
    ['a%22b.txt', 'a%22b.txt'],
    ['é; x=y', 'é; x=y'],
    ['', ''],
  ])('the file name %s is read as %s', (sent, filename) => {
    expect(readMultipart(formContentType('b'), withFilename(sent))?.[0]?.filename).toBe(filename);
  });

  function withFilename(filename: string): Buffer {
    const headers = [`Content-Disposition: form-data; name="file"; filename="${filename}"`];
    return buildFormBody({ boundary: 'b', parts: [{ headers, content: 'v' }] });
  }

  test('come back unfolded, in lower case', () => {
    const headers = [KEY, 'Content-Type:  text/plain;\r\n charset=x '];
    const body = buildFormBody({ boundary: 'b', parts: [{ headers, content: '' }] });
    expect(readMultipart(formContentType('b'), body)?.[0]?.headers).toEqual([
      ['content-disposition', 'form-data; name="key"'],
      ['content-type', 'text/plain; charset=x'],
    ]);
  });
});
