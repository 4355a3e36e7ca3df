import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseTagging,
  parseTaggingDocument,
  parseTaggingHeader,
  taggingXml,
} from '../../server/s3/object-tags.ts';
import { textToBytes, uriEncode } from '../../server/s3/uri-encoding.ts';
import { told } from './aws-examples.ts';

const text = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'aZ09 _.:/=+-@éß日\u{20000}'), maxLength });

const tags = fc.uniqueArray(
  fc.tuple(
    text(20).map((key) => `k${key}`),
    text(20),
  ),
  {
    maxLength: 10,
    selector: ([key]) => key,
  },
);

describe('taggingXml', () => {
  test('is S3’s document', () => {
    expect(taggingXml([])).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet></TagSet></Tagging>',
    );
    expect(taggingXml([['k', 'a&b']])).toContain(
      '<TagSet><Tag><Key>k</Key><Value>a&amp;b</Value></Tag></TagSet>',
    );
  });

  test('is read back', () => {
    fc.assert(
      fc.property(tags, (pairs) => {
        expect(parseTaggingDocument(taggingXml(pairs))).toEqual(pairs);
        expect(parseTagging(taggingXml(pairs))).toEqual(pairs);
      }),
    );
  });
});

describe('parseTaggingDocument', () => {
  test.each([
    '',
    '<InvalidXmlTagging/>',
    '<Tagging/>',
    '<Tagging><TagSet/><TagSet/></Tagging>',
    '<Tagging><TagSet/><Tag><Key>k</Key><Value>v</Value></Tag></Tagging>',
    '<Tagging><TagSet><tag><Key>k</Key><Value>v</Value></tag></TagSet></Tagging>',
    '<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>',
    '<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value><Value>w</Value></Tag></TagSet></Tagging>',
  ])('refuses %j', (xml) => {
    expect(told(() => parseTaggingDocument(xml))[0]).toBe('MalformedXML');
  });

  test('has the limits of S3', () => {
    const tag = '<Tag><Key>k</Key><Value>v</Value></Tag>';
    const document = (set: string) => `<Tagging><TagSet>${set}</TagSet></Tagging>`;
    expect(told(() => parseTaggingDocument(document(tag + tag)))[2]).toBe(
      'Cannot provide multiple Tags with the same key',
    );
    expect(told(() => parseTaggingDocument(document(tag.repeat(11))))[0]).toBe('BadRequest');
  });
});

describe('parseTaggingHeader', () => {
  test.each([
    ['', []],
    [
      'k1=v1&k2=v2',
      [
        ['k1', 'v1'],
        ['k2', 'v2'],
      ],
    ],
    ['k', [['k', '']]],
    [
      'k=&l',
      [
        ['k', ''],
        ['l', ''],
      ],
    ],
    ['a=b=c', [['a', 'b=c']]],
    ['a+b=c%20d%2B', [['a b', 'c d+']]],
    ['%C3%A9=%e6%97%a5', [['é', '日']]],
    [textToBytes('é=日'), [['é', '日']]],
  ])('reads %j', (query, expected) => {
    expect(parseTaggingHeader(query)).toEqual(expected);
  });

  test('reads what an SDK encodes', () => {
    const encode = (part: string) => uriEncode(textToBytes(part));
    fc.assert(
      fc.property(tags, (pairs) => {
        const query = pairs.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&');
        expect(parseTaggingHeader(query)).toEqual(pairs);
      }),
    );
  });

  test.each([
    'k=%',
    'k=%4',
    'k=%zz',
    '%=v',
    'k=%ff',
    '%c3=v',
    'k=\u00ff',
    'k=a&k=b',
    'k&%6b',
    '=v',
  ])('refuses %j', (query) => {
    expect(told(() => parseTaggingHeader(query))).toEqual([
      'InvalidArgument',
      400,
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      {
        ArgumentName: 'x-amz-tagging',
        ArgumentValue: query.replace('\u00ff', '\ufffd'),
      },
    ]);
  });

  test.each([
    ['k=%00', 'InvalidTag'],
    [`${'k'.repeat(129)}=v`, 'InvalidTag'],
    [`k=${'v'.repeat(257)}`, 'InvalidTag'],
    ['a&b&c&d&e&f&g&h&i&j&k', 'BadRequest'],
  ])('has the limits of S3: %j', (query, code) => {
    expect(told(() => parseTaggingHeader(query))[0]).toBe(code);
  });
});
