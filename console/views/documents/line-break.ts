/**
 * What ends the lines of a text. Where ends are mixed it is LF, and a CR is a character among others: so nothing is
 * changed that was not touched.
 */
export function lineBreakOf(text: string): '\n' | '\r\n' {
  return text.includes('\r\n') && !/\r(?!\n)|(?<!\r)\n/.test(text) ? '\r\n' : '\n';
}
