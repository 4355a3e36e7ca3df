const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Such as `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  while (amount >= 1024 && unit < UNITS.length - 1) [amount, unit] = [amount / 1024, unit + 1];
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const minutes = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** An ISO 8601 time in the reader's own zone and language. */
export function formatTime(iso: string): string {
  return formatted(iso, times);
}

/** The same without seconds, for where there is little room. */
export function formatMinute(iso: string): string {
  return formatted(iso, minutes);
}

function formatted(iso: string, format: Intl.DateTimeFormat): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : format.format(time);
}

export function formatCount(count: number): string {
  return count.toLocaleString();
}

/** Such as `1 document` and `5,000 documents`. */
export function countOf(count: number, what: string, several = `${what}s`): string {
  return `${formatCount(count)} ${count === 1 ? what : several}`;
}

/** A time of day in the reader's own zone and language, to the second. */
export function formatClock(time: Date | number): string {
  return clock.format(time);
}
