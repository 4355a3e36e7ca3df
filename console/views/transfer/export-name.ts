const MOST_CHARACTERS = 60;

/** What an export is saved as: with what it holds, and the day in the reader's own zone. */
export function exportName(prefix: string, now: Date): string {
  const day = [now.getFullYear(), twoDigits(now.getMonth() + 1), twoDigits(now.getDate())];
  const what = [...prefix.replace(/[^\p{L}\p{N}._]+/gu, '-')]
    .slice(0, MOST_CHARACTERS)
    .join('')
    .replace(/^[-.]+|[-.]+$/g, '');
  return `${['keystow', ...(what === '' ? [] : [what]), ...day].join('-')}.ndjson`;
}

function twoDigits(part: number): string {
  return String(part).padStart(2, '0');
}
