import { StoredText } from '../../parts/stored-text.tsx';
import type { Words } from './grant-words.ts';

export function Worded({ words }: { words: Words }) {
  return (
    <>
      {words.map((part, index) =>
        typeof part === 'string' ? part : <StoredText key={index} text={part.stored} />,
      )}
    </>
  );
}
