// Every character that XML 1.0 section 2.2 does not allow, and the three that markup needs. A
// carriage return is allowed but a parser would turn it into a line feed (section 2.11).
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to escape.
const special = /[&<>\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g;

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * The text as the content of an element. What XML 1.0 cannot hold becomes a character reference such
 * as `&#x1;`, as in S3's own answers: strict parsers refuse it, and `encoding-type=url` is for them.
 * A lone surrogate becomes U+FFFD, since it has no UTF-8.
 */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(special, (char) => named[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);
}

/** One element with text as its content. */
export function xmlElement(name: string, text: string): string {
  return `<${name}>${escapeXml(text)}</${name}>`;
}

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
