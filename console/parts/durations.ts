const UNITS = [
  ['year', 365 * 86_400],
  ['day', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** The two largest units of a time in milliseconds, such as `3 days 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1_000);
  if (seconds === 0) return 'less than a second';
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  let rest = seconds;
  const parts = UNITS.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    const isPlural = count !== 1 && (unit === 'year' || unit === 'day');
    return count === 0 ? '' : `${count} ${unit}${isPlural ? 's' : ''}`;
  });
  return parts.filter(Boolean).join(' ');
}
