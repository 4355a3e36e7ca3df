import { type ByteText, textToBytes } from './uri-encoding.ts';

/** Whether a value may stand in a header: no control character but the tab (RFC 9110, section 5.5). */
export function isHeaderText(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
  return !/[\x00-\x08\x0a-\x1f\x7f]/.test(value);
}

/** A stored header as Node writes it: its UTF-8, one character for each byte. */
export function storedHeaderValue(value: string): ByteText {
  return textToBytes(value);
}

/**
 * A metadata value as a header: printable ASCII as it is, anything else as one encoded-word of
 * RFC 2047, as S3 does: `Q` when most characters are ASCII, else `B`.
 */
export function metadataHeaderValue(value: string): string {
  if (/^[ -~]*$/.test(value)) return value;
  const others = value.replace(/[ -~]/g, '').length;
  const bytes = Buffer.from(value);
  if (others * 2 >= value.length) return `=?UTF-8?B?${bytes.toString('base64')}?=`;
  const encoded = bytes
    .toString('latin1')
    .replace(
      /[^ -~]|[=?_]/g,
      (byte) => `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .replaceAll(' ', '_');
  return `=?UTF-8?Q?${encoded}?=`;
}
