import { describe, expect, it } from 'vitest';
import {
  decodeHeader,
  ownMetadata,
  storedHeaders,
} from '../../console/views/objects/object-metadata.ts';
import { decodeText, previewKind } from '../../console/views/objects/preview-kind.ts';
import { metadataHeaderValue, storedHeaderValue } from '../../server/s3/header-text.ts';

function kindOf(key: string, contentType?: string, size = 10, contentEncoding?: string): string {
  const kind = previewKind({ key, size, contentType, contentEncoding });
  return kind.kind === 'image' ? kind.type : kind.kind;
}

describe('a preview', () => {
  it('is an image of one of a few types, by the type or by the name of what has none', () => {
    expect(kindOf('a', 'image/png')).toBe('image/png');
    expect(kindOf('a', 'Image/SVG+XML; charset=utf-8')).toBe('image/svg+xml');
    expect(kindOf('a.JPG')).toBe('image/jpeg');
    expect(kindOf('a.png', 'binary/octet-stream')).toBe('image/png');
    expect(kindOf('a.constructor')).toBe('none');
  });

  it('is text for what browsers would run, too', () => {
    for (const type of [
      'text/html',
      'application/xhtml+xml',
      'text/javascript',
      'application/json',
    ]) {
      expect(kindOf('a.png', type)).toBe('text');
    }
    expect(kindOf('a.csv', 'application/octet-stream')).toBe('text');
  });

  it('is none for other types, for nothing, and for what is too large', () => {
    expect(kindOf('a.bin')).toBe('none');
    expect(kindOf('a.pdf', 'application/pdf')).toBe('none');
    expect(kindOf('a.txt', 'text/plain', 0)).toBe('none');
    expect(kindOf('a.png', 'image/png', 30_000_000)).toBe('none');
    expect(kindOf('a.txt', 'text/plain', 30_000_000)).toBe('text');
    expect(kindOf('a.txt', 'text/plain', 30_000_000, 'gzip')).toBe('none');
  });

  it('has the characters of its charset, and none that is cut off', () => {
    expect(decodeText(Buffer.from('ä😀').subarray(0, 4))).toBe('ä');
    expect(decodeText(Buffer.from('\ufeffa'))).toBe('a');
    expect(decodeText(Buffer.from([0xe4]), 'text/plain; charset=iso-8859-1')).toBe('ä');
    expect(decodeText(Buffer.from('ä'), 'text/plain; charset="none-such"')).toBe('ä');
    expect(decodeText(Buffer.from([0xff, 0xfe, 0x61, 0]))).toBe('a');
    expect(decodeText(Buffer.from([0xff, 0x61]))).toBe('\ufffda');
  });
});

describe('metadata', () => {
  it.each(['plain', 'Größe', 'größtenteils ASCII = _?', '日本語', 'Ã¤', ''])(
    'is read as the server has written it: %j',
    (value) => {
      expect(decodeHeader(metadataHeaderValue(value))).toBe(value);
      expect(decodeHeader(storedHeaderValue(value))).toBe(value);
    },
  );

  it('is left as it is where it is no UTF-8', () => {
    expect(decodeHeader('caf\u00e9')).toBe('caf\u00e9');
    expect(decodeHeader('=?UTF-8?B?%?=')).toBe('=?UTF-8?B?%?=');
  });

  it('is told apart from what every object has', () => {
    const headers = new Headers({
      'content-type': 'text/plain',
      'content-length': '3',
      'x-amz-meta-by': 'Mia',
      'x-amz-checksum-crc32': 'AAAA',
      'x-amz-checksum-type': 'FULL_OBJECT',
    });
    expect(storedHeaders(headers)).toEqual([
      { name: 'Content type', value: 'text/plain' },
      { name: 'Checksum CRC32', value: 'AAAA' },
    ]);
    expect(ownMetadata(headers)).toEqual([{ name: 'by', value: 'Mia' }]);
  });
});
