/** What both begin with; of a character of two code units not the half. */
export function commonPrefix(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  const isHalf =
    /[\ud800-\udbff]/.test(one[length - 1] ?? '') && !one.slice(0, length).isWellFormed();
  return one.slice(0, isHalf ? length - 1 : length);
}
