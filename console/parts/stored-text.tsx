import { visible } from './visible.ts';

export { visible };

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
