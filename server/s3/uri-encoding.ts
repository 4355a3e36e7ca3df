/**
 * A text of which each character stands for one byte, U+0000 to U+00FF, as Node's HTTP parser gives
 * paths and header values. Signatures are over bytes, so this is what they are computed from.
 */
export type ByteText = string;

/** The UTF-8 of a text, one character for each byte. */
export function textToBytes(text: string): ByteText {
  return Buffer.from(text).toString('latin1');
}

/** The text whose UTF-8 the bytes are; undefined when they are not UTF-8. */
export function bytesToText(bytes: ByteText): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(bytes, 'latin1'),
    );
  } catch {
    return undefined;
  }
}

/** The same, with U+FFFD for what is not UTF-8: for showing it. */
export function bytesToShownText(bytes: ByteText): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/** AWS's UriEncode: all bytes but RFC 3986's unreserved ones become `%XX`, in upper case. */
export function uriEncode(bytes: ByteText): string {
  return bytes.replace(/[^A-Za-z0-9\-_.~]/g, escapeByte);
}

/** The same for a path, which keeps its slashes. */
export function uriEncodePath(bytes: ByteText): string {
  return bytes.replace(/[^A-Za-z0-9\-_.~/]/g, escapeByte);
}

function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Decodes each `%XX`, once; a `%` without two hexadecimal digits stays as it is. */
export function decodePercent(text: ByteText): ByteText {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/**
 * The parameters of a raw query in their order, names and values decoded (`+` is a space, as in
 * forms). A parameter without `=` has the empty value.
 */
export function queryParameters(
  rawQuery: ByteText,
): (readonly [name: ByteText, value: ByteText])[] {
  return rawQuery
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const name = equals < 0 ? part : part.slice(0, equals);
      const value = equals < 0 ? '' : part.slice(equals + 1);
      return [decodeQueryPart(name), decodeQueryPart(value)];
    });
}

function decodeQueryPart(text: ByteText): ByteText {
  return decodePercent(text.replaceAll('+', ' '));
}
