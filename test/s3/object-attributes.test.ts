import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkChecksums } from '../../server/s3/expected-checksums.ts';
import { formFields } from '../../server/s3/form-fields.ts';
import { metadataHeaderValue, storedHeaderValue } from '../../server/s3/header-text.ts';
import { type ObjectAttributes, parseObjectAttributes } from '../../server/s3/object-attributes.ts';
import { told } from './aws-examples.ts';

function parse(...pairs: [string, string][]): ObjectAttributes {
  return parseObjectAttributes(formFields(pairs));
}

describe('parseObjectAttributes', () => {
  test('has defaults', () => {
    expect(parse(['key', 'k'])).toEqual({
      acl: 'private',
      headers: {},
      metadata: [],
      storageClass: 'STANDARD',
      tags: [],
      expected: {},
    });
  });

  test('keeps headers and metadata as sent', () => {
    const attributes = parse(
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Cache-Control', 'no-store'],
      ['Content-Disposition', 'attachment; filename="é\t.txt"'],
      ['content-encoding', 'gzip'],
      ['Expires', 'tomorrow'],
      ['Content-Language', 'de'],
      ['x-amz-meta-Tag', 'Some,Tag'],
      ['x-amz-meta-uuid', ''],
      ['acl', 'public-read'],
      ['x-amz-storage-class', 'STANDARD_IA'],
    );
    expect(attributes).toMatchObject({
      acl: 'public-read',
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        'content-disposition': 'attachment; filename="é\t.txt"',
        'content-encoding': 'gzip',
        'content-language': 'de',
        expires: 'tomorrow',
      },
      metadata: [
        ['tag', 'Some,Tag'],
        ['uuid', ''],
      ],
      storageClass: 'STANDARD_IA',
    });
  });

  test('takes an empty header for none', () => {
    expect(parse(['Content-Type', '']).headers).toEqual({});
  });

  test.each(['a\r\nSet-Cookie: b', 'a\u0000', 'a\u007f'])('refuses the header %j', (value) => {
    expect(told(() => parse(['Content-Type', value]))).toEqual([
      'InvalidArgument',
      400,
      'A header must not contain control characters.',
      { ArgumentName: 'content-type', ArgumentValue: value },
    ]);
  });

  test.each(['x-amz-meta-', 'x-amz-meta-a b', 'x-amz-meta-é', 'x-amz-meta-a:b', 'x-amz-meta-a\n'])(
    'refuses the metadata name %j',
    (name) => {
      expect(told(() => parse([name, 'v']))[0]).toBe('InvalidArgument');
    },
  );

  test('takes 2 KB of metadata together, names without their prefix', () => {
    const half: [string, string] = ['x-amz-meta-ab', 'é'.repeat(511)];
    expect(parse(half, ['x-amz-meta-cd', 'é'.repeat(511)]).metadata).toHaveLength(2);
    expect(told(() => parse(half, ['x-amz-meta-cd', `${'é'.repeat(511)}x`]))).toEqual([
      'MetadataTooLarge',
      400,
      'Your metadata headers exceed the maximum allowed metadata size',
      { Size: '2049', MaxSizeAllowed: '2048' },
    ]);
  });

  test('refuses an ACL and a storage class that S3 does not have', () => {
    expect(told(() => parse(['acl', 'public']))[3]).toEqual({
      ArgumentName: 'acl',
      ArgumentValue: 'public',
    });
    expect(told(() => parse(['x-amz-storage-class', 'FakeClass']))).toEqual([
      'InvalidStorageClass',
      400,
      'The storage class you specified is not valid',
      { StorageClassRequested: 'FakeClass' },
    ]);
  });
});

describe('tagging', () => {
  function tags(xml: string): unknown {
    return parse(['tagging', xml]).tags;
  }

  function tagSet(...pairs: [string, string][]): string {
    const xml = pairs.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
    return `<Tagging><TagSet>${xml.join('')}</TagSet></Tagging>`;
  }

  test('is read', () => {
    expect(tags(tagSet(['0', 'a'], ['k +-=._:/@é', ' ']))).toEqual([
      ['0', 'a'],
      ['k +-=._:/@é', ' '],
    ]);
    expect(
      tags(
        '<?xml version="1.0"?><Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n<TagSet/>\n</Tagging>',
      ),
    ).toEqual([]);
  });

  test('of another kind is no tags, as on S3', () => {
    expect(tags('<InvalidXmlTagging></InvalidXmlTagging>')).toEqual([]);
  });

  test.each([
    'not-xml',
    '',
    '<Tagging>',
    '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
    '<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key><Value/></Tag></TagSet></Tagging>',
  ])('%j is MalformedXML', (xml) => {
    expect(told(() => tags(xml)).slice(0, 3)).toEqual([
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    ]);
  });

  test('has the limits of S3', () => {
    expect(tags(tagSet(['k'.repeat(128), 'v'.repeat(256)]))).toHaveLength(1);
    expect(told(() => tags(tagSet(['k'.repeat(129), 'v'])))[0]).toBe('InvalidTag');
    expect(told(() => tags(tagSet(['k', 'v'.repeat(257)])))[0]).toBe('InvalidTag');
    expect(told(() => tags(tagSet(['', 'v'])))[2]).toBe('The TagKey you have provided is invalid');
    expect(told(() => tags(tagSet(['k', 'a#'])))).toEqual([
      'InvalidTag',
      400,
      'The TagValue you have provided is invalid',
      { TagKey: 'k', TagValue: 'a#' },
    ]);
    expect(told(() => tags(tagSet(['k', 'a'], ['k', 'b']))).slice(0, 3)).toEqual([
      'InvalidTag',
      400,
      'Cannot provide multiple Tags with the same key',
    ]);
    const eleven = Array.from({ length: 11 }, (_, index): [string, string] => [`${index}`, '']);
    expect(told(() => tags(tagSet(...eleven))).slice(0, 3)).toEqual([
      'BadRequest',
      400,
      'Object tags cannot be greater than 10',
    ]);
  });
});

describe('checksums', () => {
  // Of "hello world".
  const md5 = 'XrY7u+Ae7tCTyyK7j1rNww==';
  const sha256 = 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=';

  test('are read', () => {
    expect(parse(['Content-MD5', md5], ['x-amz-checksum-sha256', sha256]).expected).toEqual({
      md5,
      checksum: { algorithm: 'sha256', value: sha256 },
    });
    expect(
      parse(['x-amz-checksum-algorithm', 'CRC32'], ['x-amz-checksum-crc32', 'DUoRhQ==']).expected,
    ).toEqual({ checksum: { algorithm: 'crc32', value: 'DUoRhQ==' } });
  });

  test.each(['', 'x', 'sailorjerry', `${md5}=`, md5.slice(0, -1), sha256, ` ${md5}`])(
    'no bytes have the MD5 %j',
    (value) => {
      expect(told(() => parse(['Content-MD5', value]))).toEqual([
        'InvalidDigest',
        400,
        'The Content-MD5 you specified was invalid.',
        { 'Content-MD5': value },
      ]);
    },
  );

  test.each([
    [
      [['x-amz-checksum-sha256', 'sailorjerry']],
      'Value for x-amz-checksum-sha256 header is invalid.',
    ],
    [
      [['x-amz-checksum-crc64nvme', 'DUoRhQ==']],
      'Value for x-amz-checksum-crc64nvme header is invalid.',
    ],
    [
      [
        ['x-amz-checksum-crc32', 'DUoRhQ=='],
        ['x-amz-checksum-crc32c', 'DUoRhQ=='],
      ],
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    ],
    [
      [['x-amz-checksum-algorithm', 'SHA1']],
      'x-amz-checksum-algorithm specified, but no corresponding x-amz-checksum-sha1 was found.',
    ],
    [
      [
        ['x-amz-checksum-algorithm', 'MD4'],
        ['x-amz-checksum-sha256', sha256],
      ],
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    ],
  ])('%j are an InvalidRequest', (pairs, message) => {
    const fields = pairs.map(([name = '', value = '']): [string, string] => [name, value]);
    expect(told(() => parse(...fields)).slice(0, 3)).toEqual(['InvalidRequest', 400, message]);
  });

  test('that do not match are a BadDigest', () => {
    const expected = parse(['content-md5', md5], ['x-amz-checksum-sha256', sha256]).expected;
    checkChecksums({}, { md5: 'other' });
    checkChecksums(expected, { md5, checksum: sha256 });
    expect(told(() => checkChecksums(expected, { md5: 'other', checksum: sha256 }))).toEqual([
      'BadDigest',
      400,
      'The Content-MD5 you specified did not match what we received.',
      {
        ExpectedDigest: Buffer.from(md5, 'base64').toString('hex'),
        CalculatedDigest: 'other',
      },
    ]);
    expect(told(() => checkChecksums(expected, { md5, checksum: 'other' }))).toEqual([
      'BadDigest',
      400,
      'The SHA256 you specified did not match the calculated checksum.',
      {},
    ]);
  });
});

describe('header-text', () => {
  test.each([
    ['plain text, =?', 'plain text, =?'],
    ['ÄMÄZÕÑ S3', '=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?='],
    ['\u0000\u0001\u0002\u0003\u0004', '=?UTF-8?B?AAECAwQ=?='],
    ['=?UTF-8?Q?=C3=84?=', '=?UTF-8?Q?=C3=84?='],
    ['abc_=?é', '=?UTF-8?Q?abc=5F=3D=3F=C3=A9?='],
    ['abcd\r\nx', '=?UTF-8?Q?abcd=0D=0Ax?='],
    ['', ''],
  ])('gives the metadata %j back as %j, as S3 does', (value, header) => {
    expect(metadataHeaderValue(value)).toBe(header);
  });

  test('never writes more than printable ASCII of metadata, nor loses any of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const header = metadataHeaderValue(value);
        expect(header).toMatch(/^[ -~]*$/);
        if (header !== value) expect(decodeWord(header)).toBe(value);
      }),
    );
  });

  test('writes a stored header as its UTF-8', () => {
    expect(storedHeaderValue('é')).toBe('\u00c3\u00a9');
  });
});

/** RFC 2047, written apart from the code under test. */
function decodeWord(word: string): string {
  const [, encoding, text = ''] = /^=\?UTF-8\?([BQ])\?(.*)\?=$/.exec(word) ?? [];
  if (encoding === 'B') return Buffer.from(text, 'base64').toString();
  return decodeURIComponent(
    text.replaceAll('_', '=20').replaceAll('%', '=25').replaceAll('=', '%'),
  );
}
