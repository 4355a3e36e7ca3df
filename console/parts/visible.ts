/**
 * Control characters, lone surrogates, and what has no width or directs text: default ignorables, such as tag characters,
 * too. https://www.unicode.org/reports/tr36/
 */
const UNSEEN = /[\p{Cc}\p{Cs}\p{DI}\u2028\u2029\u2800\ufff9-\ufffb]/gu;

/** What cannot be seen is named by its number. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (found) => {
    const code = found.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}
