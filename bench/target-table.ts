import { formatCells } from './table.ts';
import type { Target } from './targets.ts';

const columns = ['measure', 'Keystow', 'this run', 'aim', 'met', 'by CPU time'] as const;
const textColumns = new Set([0, 1, 4]);

/** The targets as a Markdown table. */
export function formatTargets(targets: readonly Target[]): string {
  const cells = targets.map((target) => [
    target.measure,
    target.figure,
    target.value === undefined ? '' : inFigures(target.value),
    describeAim(target.aim),
    verdict(target),
    target.byCpu === undefined ? '' : inFigures(target.byCpu),
  ]);
  return formatCells(columns, cells, textColumns);
}

function verdict({ aim, value }: Target): string {
  if (value === undefined) return 'not measured';
  if (aim === undefined) return '';
  return ('atLeast' in aim ? value >= aim.atLeast : value <= aim.atMost) ? 'yes' : 'no';
}

function describeAim(aim: Target['aim']): string {
  if (aim === undefined) return '';
  return 'atLeast' in aim ? `≥ ${inFigures(aim.atLeast)}` : `≤ ${inFigures(aim.atMost)}`;
}

function inFigures(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
