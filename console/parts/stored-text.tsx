import { visible } from './visible.ts';

const LONG = 60;

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

/** As much of a text as fits into a sentence. */
export function shortened(text: string): string {
  const characters = [...text];
  const isLong = characters.length > LONG;
  return isLong ? `${characters.slice(0, LONG).join('')}…` : text;
}
