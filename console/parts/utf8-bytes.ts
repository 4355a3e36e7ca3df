const encoder = new TextEncoder();

/** How many bytes of UTF-8 the text takes, which is what limits are of. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).byteLength;
}
