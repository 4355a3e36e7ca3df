import { useEffect, useState } from 'preact/hooks';
import { utf8Bytes } from '../../parts/utf8-bytes.ts';
import type { Mark } from './code-mirror.ts';
import { checkDocument, placeIn } from './scan-json.ts';

export interface Inspection {
  readonly problem: Mark | undefined;
  /** Of UTF-8. */
  readonly bytes: number;
}

/** While one types, what is wrong is only passing. */
const REST_MS = 200;

export function inspect(text: string): Inspection {
  const found = checkDocument(text);
  const bytes = utf8Bytes(text);
  const problem = found && { ...placeIn(text, found.at), message: found.message };
  return { problem, bytes };
}

/** What there is to say of a text, a moment after it was changed. */
export function useInspection(text: string): Inspection {
  const [inspection, setInspection] = useState(() => inspect(text));
  useEffect(() => {
    const timer = setTimeout(() => setInspection(inspect(text)), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return inspection;
}

export function sentenceOf({ line, column, message }: Mark): string {
  return `Line ${line}, column ${column}: ${message}`;
}
