import { formatCount } from '../../parts/amounts.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import { visible } from '../../parts/visible.ts';
import type { ProblemList } from './problem-list.ts';

export function Problems({ title, problems }: { title: string; problems: ProblemList }) {
  const { count, first } = problems;
  const hasKeys = first.some(({ key }) => key !== undefined);
  return (
    <div class="problems">
      <table>
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              Line
            </th>
            {hasKeys && <th scope="col">Key</th>}
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {first.map(({ line, key, reason }) => (
            <tr key={line}>
              <td class="number">{formatCount(line)}</td>
              {hasKeys && <td>{key !== undefined && <StoredText text={key} />}</td>}
              <td class="breaks">
                <bdi>{visible(reason)}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {count > first.length && (
        <p class="hint">{formatCount(count - first.length)} more are only counted.</p>
      )}
    </div>
  );
}
