import { formatCount } from '../../parts/amounts.ts';
import type { ImportCounts } from './import-counts.ts';

export function Counts({ counts }: { counts: ImportCounts }) {
  const { created, replaced, skipped, refused } = counts;
  const all = { Created: created, Replaced: replaced, Skipped: skipped, Refused: refused.count };
  return (
    <dl class="counts">
      {Object.entries(all).map(([name, count]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{formatCount(count)}</dd>
        </div>
      ))}
    </dl>
  );
}
