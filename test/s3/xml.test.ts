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
    ' ',
    '\ufeff',
    '\ufeff\ufeff<a/>',
    '<a/>\ufeff',
    '\u00a0<a/>',
    '<a/>\u0000',
    '<a>\u0000</a>',
    '<a b="\u0000"/>',
    '<a>\udc00</a>',
    '<a>\ud800b</a>',
    '<a>\ufffe</a>',
    '<a b="\ud800"/>',
    '<a b="1"c="2"/>',
    '<a>&__proto__;</a>',
    '<a>&#;</a>',
    '<a>&#X41;</a>',
    '<a>&#65',
    '<a></a',
    '<a',
    '<a><![CDATA[</a>',
    '<?p',
    '<?xml?><a/>',
    '<?xml encoding="UTF-8"?><a/>',
    '<?xml version="2.0"?><a/>',
    '<?xml version="1.1"?><a>\u0001</a>',
    '<?xml version="1.1"?><a>&#1;</a>',
    '<?XML version="1.0"?><a/>',
    '<!-- --><?xml version="1.0"?><a/>',
    '<!DOCTYPE a><a/>',
    '<!doctype a><a/>',
    '<a/><!DOCTYPE a>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<!DOCTYPE a [<!ENTITY b "c">',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<a>'.repeat(40) + '</a>'.repeat(40),
  ])('refuses %j', (xml) => {
    expect(told(() => readXml(xml))[0]).toBe('MalformedXML');
  });

  test('turns the ends of lines into line feeds, but not those that are references', () => {
    expect(readXml('<a>1\r\n2\r3&#13;<![CDATA[\r\n]]></a>').text).toBe('1\n2\n3\r\n');
  });

  test('takes names from no prototype', () => {
    const xml = '<__proto__ __proto__="1" constructor="2"><constructor/></__proto__>';
    expect(readXml(xml)).toEqual({
      name: '__proto__',
      text: '',
      children: [{ name: 'constructor', text: '', children: [] }],
    });
  });

  test('reads 32 levels and no more', () => {
    const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(readXml(nested(32)).name).toBe('a');
    expect(told(() => readXml(nested(33)))[0]).toBe('MalformedXML');
  });

  test('reads or refuses whatever is put together from its pieces', () => {
    const pieces = fc.constantFrom(
      ...['<a>', '</a>', '<b c="1">', '</b>', '<a', '/>', '>', ' ', '\r', '&amp;', '&#65;', '&'],
      ...['"', '=', '<![CDATA[', ']]>', ']', '<!--', '-->', '<?', '?>', '<?xml version="1.0"?>'],
      ...['<!DOCTYPE a>', '<!', '[', '\u0000', '\ud83d', '\ude00', '😀', '\ufeff', ';', 'é'],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), fc.boolean(), (parts, wrapped) => {
        const xml = wrapped ? `<a>${parts.join('')}</a>` : parts.join('');
        try {
          expect(readXml(xml).name).toMatch(/^[ab]/);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MalformedXML' });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  // Each takes less than a second alone, and would take minutes if it were quadratic.
  test.each([
    ['<a>', '', ''],
    ['<a/>', '<r>', '</r>'],
    ['&amp;', '<r>', '</r>'],
    ['&amp;', '<r a="', '"/>'],
    [']a', '<r><![CDATA[', ']]></r>'],
    ['-a', '<r><!--', '--></r>'],
    ['\r', '<r>', '</r>'],
    ['a', '<r>&', ';</r>'],
    ['<!ENTITY a "b">', '<!DOCTYPE r [', ']><r/>'],
  ])('takes linear time for many %j', (piece, head, tail) => {
    const start = performance.now();
    try {
      readXml(head + piece.repeat((1 << 20) / piece.length) + tail);
    } catch (error) {
      expect(error).toMatchObject({ code: 'MalformedXML' });
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('takes linear time for many attributes', () => {
    const attributes = Array.from({ length: 100_000 }, (_, index) => `a${index}=""`);
    const start = performance.now();
    expect(readXml(`<r ${attributes.join(' ')}/>`).name).toBe('r');
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('reads 4 MiB with 10,000 parts', () => {
    const sha256 = `<ChecksumSHA256>${'A'.repeat(300)}</ChecksumSHA256>`;
    const parts = Array.from(
      { length: 10_000 },
      (_, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"e"</ETag>${sha256}</Part>`,
    );
    const root = readXml(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    expect(root.children).toHaveLength(10_000);
    expect(root.children.at(-1)?.children[0]?.text).toBe('10000');
  });
});
