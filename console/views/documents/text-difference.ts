/** What two texts have in common at both ends, and what each has between. */
export interface TextDifference {
  readonly head: string;
  readonly before: string;
  readonly after: string;
  readonly tail: string;
}

export function textDifference(before: string, after: string): TextDifference {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before.charCodeAt(head) === after.charCodeAt(head)) head += 1;
  if (isInside(before, head) || isInside(after, head)) head -= 1;
  let tail = 0;
  const left = most - head;
  while (
    tail < left &&
    before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)
  ) {
    tail += 1;
  }
  if (isInside(before, before.length - tail) || isInside(after, after.length - tail)) tail -= 1;
  return {
    head: before.slice(0, head),
    before: before.slice(head, before.length - tail),
    after: after.slice(head, after.length - tail),
    tail: before.slice(before.length - tail),
  };
}

/** Whether a cut there would halve a character. */
function isInside(text: string, at: number): boolean {
  const [high, low] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}
