import { useEffect, useId } from 'preact/hooks';
import { formatBytes, formatCount } from '../../parts/amounts.ts';
import { formatDuration } from '../../parts/durations.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { current } from '../../session.ts';
import { Chart } from './chart.tsx';
import { charts } from './chart-definitions.ts';
import type { MetricWindow } from './metric-window.ts';
import { metricsHistory, pollMetrics } from './metrics-history.ts';

export function Charts() {
  const id = useId();
  return (
    <section class="column charts" aria-labelledby={id}>
      <h2 id={id}>Metrics</h2>
      {current().isAdmin ? (
        <Polled />
      ) : (
        <p class="notice">
          The metrics of the server are for admins: ask one if you need to know how it does. The
          changes are those that your grants cover.
        </p>
      )}
    </section>
  );
}

function Polled() {
  useEffect(() => pollMetrics(), []);
  const { points, latest, error } = metricsHistory.value;
  return (
    <>
      {error !== undefined && (
        <>
          <ErrorNotice error={error} />
          <p class="hint">
            What was read before stays; where the server is away it is asked again.
          </p>
        </>
      )}
      {latest ? <Glance metrics={latest} /> : <p class="hint">Asking for the metrics …</p>}
      <div class="chart-grid">
        {charts.map((chart, index) => (
          <Chart key={chart.title} chart={chart} index={index} points={points} />
        ))}
      </div>
    </>
  );
}

/** What is no line: as it is now. */
function Glance({ metrics }: { metrics: MetricWindow }) {
  const started = metrics.gauge('process_start_time_seconds');
  const memory = metrics.gauge('process_resident_memory_bytes');
  const sequence = metrics.gauge('keystow_store_sequence');
  const build = metrics.labels('keystow_build_info');
  const facts: readonly (readonly [string, string])[] = [
    ['Ready', metrics.gauge('keystow_ready') === 1 ? 'yes' : 'no: the log says why'],
    ['Version', `${build?.get('version') ?? '–'} on Node ${build?.get('node') ?? '–'}`],
    ['Running for', started === undefined ? '–' : formatDuration(Date.now() - started * 1_000)],
    ['Last number', sequence === undefined ? '–' : formatCount(sequence)],
    ['Memory', memory === undefined ? '–' : formatBytes(memory)],
  ];
  return (
    <dl class="glance">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
