/** How many a second, over the last few: `counts` are of a counter, one a second, oldest first. */
export function perSecond(counts: readonly number[]): number {
  const [first = 0] = counts;
  const last = counts.at(-1) ?? first;
  return counts.length > 1 ? (last - first) / (counts.length - 1) : 0;
}
