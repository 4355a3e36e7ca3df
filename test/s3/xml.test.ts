import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listBucketsXml, postResponseXml } from '../../server/s3/answer-xml.ts';
import { errorXml } from '../../server/s3/error-xml.ts';
import { invalidArgument, missingField, notMultipart, S3Error } from '../../server/s3/s3-error.ts';
import { readXml } from '../../server/s3/xml-reader.ts';
import { escapeXml } from '../../server/s3/xml-text.ts';
import { told } from './aws-examples.ts';

describe('an error', () => {
  test('has the status and message of its code', () => {
    const error = new S3Error('NoSuchBucket');
    expect([error.code, error.status, error.message, error.extra, error.headers]).toEqual([
      'NoSuchBucket',
      404,
      'The specified bucket does not exist',
      [],
      {},
    ]);
  });

  test('may have its own message, members, headers and cause', () => {
    const error = new S3Error('SlowDown', {
      message: 'Wait.',
      extra: [['Reason', 'full']],
      headers: { 'Retry-After': '1' },
      cause: 'x',
    });
    expect([error.status, error.message, error.extra, error.headers, error.cause]).toEqual([
      503,
      'Wait.',
      [['Reason', 'full']],
      { 'Retry-After': '1' },
      'x',
    ]);
  });

  test('is rendered in the order of S3', () => {
    const error = invalidArgument('Wrong <a> & "b".', 'acl', 'x');
    expect(errorXml(error, { resource: '/b/k', requestId: 'R', hostId: 'H' })).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InvalidArgument</Code>' +
        '<Message>Wrong &lt;a&gt; &amp; "b".</Message>' +
        '<ArgumentName>acl</ArgumentName><ArgumentValue>x</ArgumentValue>' +
        '<Resource>/b/k</Resource><RequestId>R</RequestId><HostId>H</HostId></Error>',
    );
    expect(errorXml(missingField('key'), { requestId: 'R', hostId: 'H' })).toContain(
      "<Message>Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.</Message>" +
        '<ArgumentName>key</ArgumentName><ArgumentValue></ArgumentValue><RequestId>R',
    );
  });

  test('of a body that is not a form names the condition', () => {
    expect(
      told(() => {
        throw notMultipart();
      }),
    ).toEqual([
      'PreconditionFailed',
      412,
      'At least one of the pre-conditions you specified did not hold',
      { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
    ]);
  });
});

describe('escapeXml', () => {
  test('writes what XML 1.0 cannot hold as S3 does', () => {
    expect(escapeXml('a\u0001b\u001bc\u0000d\ufffee')).toBe('a&#x1;b&#x1b;c&#x0;d&#xfffe;e');
    expect(escapeXml('a\tb\nc\rd\ud800e😀')).toBe('a\tb\nc&#xd;d\ufffde😀');
  });

  test('is read back by a parser', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(readXml(`<a>${escapeXml(text)}</a>`).text).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
});

test('a PostResponse has no namespace and quotes the ETag', () => {
  const xml = postResponseXml({
    location: 'https://h/b/a%2Fé',
    bucket: 'b',
    key: 'a/é',
    etag: 'e',
  });
  expect(xml).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>https://h/b/a%2Fé</Location>' +
      '<Bucket>b</Bucket><Key>a/é</Key><ETag>"e"</ETag></PostResponse>',
  );
});

test('ListBuckets lists owner and buckets', () => {
  const createdAt = new Date('2024-02-03T04:05:06.789Z');
  expect(listBucketsXml({ id: 'i', displayName: 'a&b' }, [{ name: 'one', createdAt }])).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<Owner><ID>i</ID><DisplayName>a&amp;b</DisplayName></Owner><Buckets><Bucket><Name>one</Name>' +
      '<CreationDate>2024-02-03T04:05:06.789Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>',
  );
});

describe('readXml', () => {
  test('reads elements, text, references, CDATA, comments and instructions', () => {
    const xml =
      '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- c --><?p i?><a x="1" y=\'&lt;\' >b&amp;&#65;&#x42;<![CDATA[<&]]><!----><c/><n:d\n>e</n:d ></a>\n<!--z-->';
    expect(readXml(xml)).toEqual({
      name: 'a',
      text: 'b&AB<&',
      children: [
        { name: 'c', text: '', children: [] },
        { name: 'n:d', text: 'e', children: [] },
      ],
    });
  });

  test.each([
    '',
    'not-xml',
    '<a>',
    '</a>',
    '<a></b>',
    '<a><b></a></b>',
    '<a/><b/>',
    '<a/>tail',
    'head<a/>',
    '<a/>&#32;',
    '<a/><![CDATA[ ]]>',
    '<a b=c/>',
    '<a b/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a b="&x;"/>',
    '<a>&</a>',
    '<a>&lt</a>',
    '<a>&foo;</a>',
    '<a>&#1;</a>',
    '<a>&#x110000;</a>',
    '<a>&#xd800;</a>',
    '<a>\u0001</a>',
    '<a>\ud800</a>',
    '<a>]]></a>',
    '<a><!-- -- --></a>',
    '<a><!-- </a>',
    '<a><?xml version="1.0"?></a>',
    ' <?xml version="1.0"?><a/>',
    '<1a/>',
    '<a\u00d7/ >',
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<a>'.repeat(40) + '</a>'.repeat(40),
  ])('refuses %j', (xml) => {
    expect(told(() => readXml(xml))[0]).toBe('MalformedXML');
  });
});
