/**
 * Replaces control characters by `\uXXXX`: keys and the server's sentences come from anyone who
 * may write, and must not steer the reader's terminal.
 */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
