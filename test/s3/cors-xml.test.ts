import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CorsRule, corsMethods } from '../../server/s3/cors-rules.ts';
import { corsConfigurationXml, parseCorsConfiguration } from '../../server/s3/cors-xml.ts';
import { told } from './aws-examples.ts';

const basic = '<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>';

function configuration(...rules: string[]): string {
  return `<CORSConfiguration>${rules.map((rule) => `<CORSRule>${rule}</CORSRule>`).join('')}</CORSConfiguration>`;
}

/** A basic rule with more in it. */
function withMore(more: string): string {
  return configuration(basic + more);
}

describe('parseCorsConfiguration', () => {
  test('reads the rules in their order', () => {
    const xml = `<?xml version="1.0"?>
      <CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <CORSRule>
          <ID>one</ID>
          <AllowedOrigin>http://*.example.com</AllowedOrigin>
          <AllowedOrigin>https://b</AllowedOrigin>
          <AllowedMethod>PUT</AllowedMethod>
          <AllowedMethod>HEAD</AllowedMethod>
          <AllowedHeader>x-amz-*</AllowedHeader>
          <MaxAgeSeconds>3000</MaxAgeSeconds>
          <ExposeHeader>ETag</ExposeHeader>
          <ExposeHeader>x-amz-meta-a_b</ExposeHeader>
        </CORSRule>
        <CORSRule>${basic}</CORSRule>
      </CORSConfiguration>`;
    expect(parseCorsConfiguration(xml)).toEqual([
      {
        id: 'one',
        allowedOrigins: ['http://*.example.com', 'https://b'],
        allowedMethods: ['PUT', 'HEAD'],
        allowedHeaders: ['x-amz-*'],
        exposeHeaders: ['ETag', 'x-amz-meta-a_b'],
        maxAgeSeconds: 3000,
      },
      { allowedOrigins: ['*'], allowedMethods: ['GET'], allowedHeaders: [], exposeHeaders: [] },
    ]);
  });

  test('has the limits of S3', () => {
    const rules = (count: number) => configuration(...Array.from({ length: count }, () => basic));
    expect(parseCorsConfiguration(rules(100))).toHaveLength(100);
    expect(told(() => parseCorsConfiguration(rules(101))).slice(0, 3)).toEqual([
      'InvalidRequest',
      400,
      'The number of CORS rules should not exceed allowed limit of 100 rules.',
    ]);
    const id = '日'.repeat(255);
    expect(parseCorsConfiguration(withMore(`<ID>${id}</ID>`))[0]?.id).toBe(id);
    expect(parseCorsConfiguration(withMore('<ID/>'))[0]).not.toHaveProperty('id');
    const seconds = (text: string) =>
      parseCorsConfiguration(withMore(`<MaxAgeSeconds>${text}</MaxAgeSeconds>`))[0]?.maxAgeSeconds;
    expect([seconds('0'), seconds('2147483647')]).toEqual([0, 2_147_483_647]);
    expect(seconds('-1')).toBe(-1);
  });

  test.each([
    '',
    '<CORSConfiguration>',
    '<CORSConfiguration/>',
    configuration(basic).replaceAll('CORSConfiguration', 'CorsConfiguration'),
    configuration(basic).replace('</CORSConfiguration>', '<Rule/></CORSConfiguration>'),
    configuration(''),
    configuration('<AllowedMethod>GET</AllowedMethod>'),
    configuration('<AllowedOrigin>*</AllowedOrigin>'),
    withMore('<AllowedOrigin/>'),
    withMore('<AllowedHeader/>'),
    withMore('<ExposeHeader/>'),
    withMore('<AllowedOrigin>http://a&#10;b</AllowedOrigin>'),
    withMore('<AllowedHeader>a&#13;b</AllowedHeader>'),
    withMore('<ExposeHeader>a&#13;&#10;Set-Cookie: b</ExposeHeader>'),
    withMore('<AllowedOrigins>*</AllowedOrigins>'),
    withMore(`<ID>${'i'.repeat(256)}</ID>`),
    withMore('<ID>a</ID><ID>b</ID>'),
    withMore('<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>1</MaxAgeSeconds>'),
    ...['', '-', '1.5', '1e3', '0x10', ' 1', 'x', '2147483648', '9'.repeat(400)].map((text) =>
      withMore(`<MaxAgeSeconds>${text}</MaxAgeSeconds>`),
    ),
  ])('refuses %j', (xml) => {
    expect(told(() => parseCorsConfiguration(xml))[0]).toBe('MalformedXML');
  });

  test.each([
    [
      '<AllowedMethod>PATCH</AllowedMethod>',
      'Found unsupported HTTP method in CORS config. Unsupported method is PATCH',
    ],
    [
      '<AllowedMethod>get</AllowedMethod>',
      'Found unsupported HTTP method in CORS config. Unsupported method is get',
    ],
    [
      '<AllowedOrigin>http://*.*</AllowedOrigin>',
      'AllowedOrigin "http://*.*" can not have more than one wildcard.',
    ],
    [
      '<AllowedHeader>**</AllowedHeader>',
      'AllowedHeader "**" can not have more than one wildcard.',
    ],
    [
      '<ExposeHeader>x-*</ExposeHeader>',
      'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
    ],
    ['<ExposeHeader>a, b</ExposeHeader>', 'ExposeHeader "a, b" contains invalid character.'],
    ['<ExposeHeader>é</ExposeHeader>', 'ExposeHeader "é" contains invalid character.'],
  ])('refuses %j with the sentence of S3', (more, message) => {
    expect(told(() => parseCorsConfiguration(withMore(more))).slice(0, 3)).toEqual([
      'InvalidRequest',
      400,
      message,
    ]);
  });
});

describe('corsConfigurationXml', () => {
  test('is S3’s document', () => {
    const rule: CorsRule = {
      id: 'a&b',
      allowedOrigins: ['*'],
      allowedMethods: ['GET', 'PUT'],
      allowedHeaders: ['*'],
      exposeHeaders: ['ETag'],
      maxAgeSeconds: 5,
    };
    expect(corsConfigurationXml([rule])).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule><ID>a&amp;b</ID>' +
        '<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>' +
        '<AllowedHeader>*</AllowedHeader><MaxAgeSeconds>5</MaxAgeSeconds><ExposeHeader>ETag</ExposeHeader>' +
        '</CORSRule></CORSConfiguration>',
    );
  });

  test('is read back, also from the JSON in which rules are stored', () => {
    const some = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    const pattern = some.map((text) => text.replaceAll('*', '+'));
    const rule: fc.Arbitrary<CorsRule> = fc.record(
      {
        id: some,
        allowedOrigins: fc.array(pattern, { minLength: 1, maxLength: 3 }),
        allowedMethods: fc.array(fc.constantFrom(...corsMethods), { minLength: 1, maxLength: 5 }),
        allowedHeaders: fc.array(fc.constantFrom('*', 'x-amz-*', '*-type', 'Content-MD5'), {
          maxLength: 3,
        }),
        exposeHeaders: fc.array(fc.constantFrom('ETag', 'x-amz-meta-a'), { maxLength: 3 }),
        maxAgeSeconds: fc.nat(),
      },
      { requiredKeys: ['allowedOrigins', 'allowedMethods', 'allowedHeaders', 'exposeHeaders'] },
    );
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 5 }), (rules) => {
        const read = parseCorsConfiguration(corsConfigurationXml(rules));
        expect(read).toEqual(rules);
        expect(JSON.parse(JSON.stringify(read))).toEqual(rules);
      }),
    );
  });
});
