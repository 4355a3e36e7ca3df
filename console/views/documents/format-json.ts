import { lineBreakOf } from './line-break.ts';
import { scanJson } from './scan-json.ts';

const INDENT = '  ';
/** Deep nesting grows with the square of its depth: past this nobody could save it anyway. */
const MOST_CHARS = 2 ** 25;

/**
 * The same tokens with other space between them: numbers, escapes, the order of members stay as they are. Undefined
 * where the text is no JSON, or would become far too long.
 */
export function formatJson(text: string): string | undefined {
  const lineBreak = lineBreakOf(text);
  const lineAt = (depth: number): string => lineBreak + INDENT.repeat(depth);
  const parts: string[] = [];
  let chars = 0;
  let depth = 0;
  let isEmpty = false;

  function write(part: string): void {
    chars += part.length;
    if (chars <= MOST_CHARS) parts.push(part);
  }

  const problem = scanJson(text, (from, to) => {
    const token = text.slice(from, to);
    if (token === '}' || token === ']') {
      depth -= 1;
      if (!isEmpty) write(lineAt(depth));
      isEmpty = false;
      return write(token);
    }
    if (isEmpty) write(lineAt(depth));
    isEmpty = token === '{' || token === '[';
    if (isEmpty) depth += 1;
    write(token);
    if (token === ',') write(lineAt(depth));
    if (token === ':') write(' ');
  });
  return problem || chars > MOST_CHARS ? undefined : parts.join('');
}
