import type { Figure, Row } from './measures/measure.ts';
import { median } from './median.ts';

const columns = [
  'measure',
  'server',
  'per second',
  'lowest – highest',
  'Keystow ÷ it',
  'p99 ms',
  'CPU µs',
  'RSS MiB',
  'peak MiB',
  'not 2xx and errors',
] as const;
const textColumns = new Set([0, 1, 9]);
const figureColumns = ['measure', 'unit', 'median', 'lowest – highest', 'times'] as const;
const textFigureColumns = new Set([0, 1]);

/** All rows as one Markdown table; the rates are medians of the rounds, per second. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => formatRow(row, rows));
  return formatCells(columns, cells, textColumns);
}

/** Quantities that are no rates, as a Markdown table. */
export function formatFigures(figures: readonly Figure[]): string {
  const cells = figures.map(({ what, unit, values }) => [
    what,
    unit,
    median(values).toFixed(0),
    `${Math.min(...values).toFixed(0)} – ${Math.max(...values).toFixed(0)}`,
    String(values.length),
  ]);
  return formatCells(figureColumns, cells, textFigureColumns);
}

/** Lines of cells below their titles as a Markdown table; those that are no texts stand to the right. */
export function formatCells(
  titles: readonly string[],
  cells: readonly (readonly string[])[],
  texts: ReadonlySet<number>,
): string {
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const line = (words: readonly string[]) =>
    `| ${words
      .map((word, index) => {
        const width = widths[index] ?? 0;
        return texts.has(index) ? word.padEnd(width) : word.padStart(width);
      })
      .join(' | ')} |`;
  const rule = widths.map((width, index) =>
    texts.has(index) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(titles), line(rule), ...cells.map(line)].join('\n');
}

function formatRow(row: Row, rows: readonly Row[]): string[] {
  const rates = row.rounds.map(({ rate }) => rate);
  const rate = median(rates);
  const keystow = rows.find(
    ({ measure, server }) => measure === row.measure && server === 'Keystow',
  );
  const ratio =
    keystow === undefined || keystow === row
      ? ''
      : (median(keystow.rounds.map((round) => round.rate)) / rate).toPrecision(2);
  const failures = row.rounds.map((round) => round.failures).filter((text) => text !== '');
  return [
    row.measure,
    row.server,
    perSecond(rate),
    `${perSecond(Math.min(...rates))} – ${perSecond(Math.max(...rates))}`,
    ratio,
    median(row.rounds.map(({ p99 }) => p99)).toFixed(1),
    row.microseconds?.toFixed(0) ?? '?',
    row.residentMib?.toFixed(0) ?? '?',
    row.peakMib?.toFixed(0) ?? '?',
    failures.length === 0 ? 'none' : failures.join('; '),
  ];
}

function perSecond(value: number): string {
  if (value < 10) return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}
