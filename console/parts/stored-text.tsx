/**
 * Keys, names and whatever else others have chosen: shown as it is, and unable to do anything. What cannot
 * be seen is named (U+202E turns the rest of a line around), and the rest keeps its own direction.
 */
export function StoredText({ text }: { text: string }) {
  return (
    <bdi class="stored" title={text.length > LONG ? visible(text) : undefined}>
      {visible(text)}
    </bdi>
  );
}

const LONG = 60;
/** Control characters, lone surrogates, and what has no width or directs text. https://www.unicode.org/reports/tr36/ */
const UNSEEN = /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** As much of a text as fits into a sentence. */
export function shortened(text: string): string {
  const characters = [...text];
  const isLong = characters.length > LONG;
  return isLong ? `${characters.slice(0, LONG).join('')}…` : text;
}

export function visible(text: string): string {
  return text.replace(UNSEEN, (found) => {
    const code = found.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}
