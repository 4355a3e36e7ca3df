import type { Row } from './measures/measure.ts';
import { formatCells } from './table.ts';

const columns = [
  'measure',
  'server',
  'cores: nodes',
  'database',
  'load',
  'µs a request: nodes',
  'database',
  'requests a commit',
] as const;
const textColumns = new Set([0, 1]);

/** Where the time went, of the rows that know: all their rounds together. */
export function formatCosts(rows: readonly Row[]): string {
  return formatCells(columns, rows.flatMap(formatCost), textColumns);
}

function formatCost({ measure, server, cost }: Row): string[][] {
  if (!cost) return [];
  const { seconds, answers, nodes, database, load, commits } = cost;
  const cores = (used: number) => (used / seconds).toFixed(2);
  const microseconds = (used: number) => ((used / answers) * 1e6).toFixed(0);
  return [
    [
      measure,
      server,
      cores(nodes),
      database === 0 ? '' : cores(database),
      cores(load),
      microseconds(nodes),
      database === 0 ? '' : microseconds(database),
      commits === 0 ? '' : (answers / commits).toFixed(1),
    ],
  ];
}
