import { type CorsMethod, type CorsRule, corsMethods, isHeaderName } from './cors-rules.ts';
import { isHeaderText } from './header-text.ts';
import { S3Error } from './s3-error.ts';
import { checkMembers, childrenOf, readRoot, textOf } from './xml-element.ts';
import { S3_NAMESPACE } from './xml-namespace.ts';
import type { XmlElement } from './xml-reader.ts';
import { XML_DECLARATION, xmlElement } from './xml-text.ts';

const MAX_RULES = 100;
const MAX_ID_CHARS = 255;
const MAX_SECONDS = 2 ** 31 - 1;

/**
 * The rules of the body of PutBucketCors. Throws S3Error MalformedXML; InvalidRequest for too many
 * rules, another method, wildcards where there must not be any and names that no header has.
 */
export function parseCorsConfiguration(xml: string): CorsRule[] {
  const root = readRoot(xml, 'CORSConfiguration');
  checkMembers(root, ['CORSRule']);
  if (root.children.length === 0) throw new S3Error('MalformedXML');
  if (root.children.length > MAX_RULES) {
    throw invalidRequest(
      `The number of CORS rules should not exceed allowed limit of ${MAX_RULES} rules.`,
    );
  }
  return root.children.map(parseRule);
}

function parseRule(rule: XmlElement): CorsRule {
  checkMembers(rule, [
    'ID',
    'AllowedOrigin',
    'AllowedMethod',
    'AllowedHeader',
    'ExposeHeader',
    'MaxAgeSeconds',
  ]);
  const id = parseId(textOf(rule, 'ID'));
  const maxAgeSeconds = parseSeconds(textOf(rule, 'MaxAgeSeconds'));
  const allowedMethods = childrenOf(rule, 'AllowedMethod').map(({ text }) => parseMethod(text));
  const allowedOrigins = textsOf(rule, 'AllowedOrigin');
  if (allowedMethods.length === 0 || allowedOrigins.length === 0) throw new S3Error('MalformedXML');
  const allowedHeaders = textsOf(rule, 'AllowedHeader');
  checkWildcards('AllowedOrigin', allowedOrigins);
  checkWildcards('AllowedHeader', allowedHeaders);
  const wrong = allowedHeaders.find((pattern) => !isHeaderName(pattern));
  if (wrong !== undefined) {
    throw invalidRequest(`AllowedHeader "${wrong}" contains invalid character.`);
  }
  return {
    ...(id !== undefined && { id }),
    allowedOrigins,
    allowedMethods,
    allowedHeaders,
    exposeHeaders: textsOf(rule, 'ExposeHeader').map(parseExposeHeader),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
  };
}

/** What the members of one name say: never nothing, and nothing that a header cannot. */
function textsOf(rule: XmlElement, name: string): string[] {
  const texts = childrenOf(rule, name).map(({ text }) => text);
  if (texts.includes('') || !texts.every(isHeaderText)) throw new S3Error('MalformedXML');
  return texts;
}

/** An empty one is none, as on S3. */
function parseId(text: string | undefined): string | undefined {
  if (text !== undefined && [...text].length > MAX_ID_CHARS) throw new S3Error('MalformedXML');
  return text === '' ? undefined : text;
}

function parseSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  // S3 takes negative ones, too, which say that nothing is to be remembered.
  if (!/^-?\d+$/.test(text) || Math.abs(seconds) > MAX_SECONDS) throw new S3Error('MalformedXML');
  return seconds;
}

function parseMethod(text: string): CorsMethod {
  const method = corsMethods.find((known) => known === text);
  if (method === undefined) {
    throw invalidRequest(
      `Found unsupported HTTP method in CORS config. Unsupported method is ${text}`,
    );
  }
  return method;
}

function checkWildcards(name: string, patterns: readonly string[]): void {
  const wrong = patterns.find((pattern) => pattern.indexOf('*') !== pattern.lastIndexOf('*'));
  if (wrong !== undefined) {
    throw invalidRequest(`${name} "${wrong}" can not have more than one wildcard.`);
  }
}

function parseExposeHeader(name: string): string {
  if (name.includes('*')) {
    throw invalidRequest(
      `ExposeHeader "${name}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    );
  }
  if (!isHeaderName(name)) {
    throw invalidRequest(`ExposeHeader "${name}" contains invalid character.`);
  }
  return name;
}

function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', { message });
}

/** The body of GetBucketCors. */
export function corsConfigurationXml(rules: readonly CorsRule[]): string {
  const rulesXml = rules.map((rule) => {
    const members = [
      ...(rule.id === undefined ? [] : [xmlElement('ID', rule.id)]),
      ...rule.allowedOrigins.map((origin) => xmlElement('AllowedOrigin', origin)),
      ...rule.allowedMethods.map((method) => xmlElement('AllowedMethod', method)),
      ...rule.allowedHeaders.map((header) => xmlElement('AllowedHeader', header)),
      ...(rule.maxAgeSeconds === undefined
        ? []
        : [xmlElement('MaxAgeSeconds', String(rule.maxAgeSeconds))]),
      ...rule.exposeHeaders.map((header) => xmlElement('ExposeHeader', header)),
    ];
    return `<CORSRule>${members.join('')}</CORSRule>`;
  });
  return `${XML_DECLARATION}<CORSConfiguration xmlns="${S3_NAMESPACE}">${rulesXml.join('')}</CORSConfiguration>`;
}
