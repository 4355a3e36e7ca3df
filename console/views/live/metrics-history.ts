import { signal } from '@preact/signals';
import { KeystowClientError } from '../../../shared/client/index.ts';
import { readMetrics } from '../../api/metrics.ts';
import { isAbort } from '../../parts/explain.ts';
import { session } from '../../session.ts';
import { charts } from './chart-definitions.ts';
import { type MetricWindow, metricWindow, type Reading } from './metric-window.ts';
import { parseExposition } from './parse-exposition.ts';

/** The metrics of the last minutes, in the memory of this tab; asked for only while somebody looks. */

export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of each chart its lines, in their order; null where nothing is known, which is a gap. */
  readonly values: readonly (readonly (number | null)[])[];
}

export interface MetricsHistory {
  /** Oldest first. */
  readonly points: readonly Point[];
  /** The last reading that worked. */
  readonly latest: MetricWindow | undefined;
  /** Why the last one did not. */
  readonly error: unknown;
}

const NOTHING: MetricsHistory = { points: [], latest: undefined, error: undefined };
const KEPT_MS = 10 * 60_000;
const EVERY_MS = 2_000;
/** Two readings further apart have nothing to say about what lies between. */
const GAP_MS = 5 * EVERY_MS;

export const metricsHistory = signal<MetricsHistory>(NOTHING);

let before: Reading | undefined;

/** Nobody sees what another one has left. */
session.subscribe(() => {
  before = undefined;
  metricsHistory.value = NOTHING;
});

/** Asks every two seconds, but not in a hidden tab, until it is refused; returns what ends it. */
export function pollMetrics(): () => void {
  const ended = new AbortController();
  void (async () => {
    while (!ended.signal.aborted) {
      if (!document.hidden && !(await poll(ended.signal))) break;
      await pause(ended.signal);
    }
  })();
  return () => ended.abort();
}

/** Resolves with whether it is of use to go on. */
async function poll(ended: AbortSignal): Promise<boolean> {
  try {
    const text = await readMetrics(ended);
    if (ended.aborted) return false;
    const now = { ...parseExposition(text), at: Date.now() };
    const isNear = before !== undefined && now.at - before.at <= GAP_MS;
    const latest = metricWindow(isNear ? before : undefined, now);
    const values = charts.map(({ lines }) => lines.map((line) => line.read(latest) ?? null));
    const gap = before && !isNear ? [unknownAt(before.at + 1)] : [];
    before = now;
    keep([...gap, { at: now.at, values }], { latest, error: undefined });
    return true;
  } catch (error) {
    if (ended.aborted || isAbort(error)) return false;
    keep([unknownAt(Date.now())], { error });
    return !isRefused(error);
  }
}

/** Wrong passwords are counted: a changed one must not be sent every two seconds. */
function isRefused(error: unknown): boolean {
  if (!(error instanceof KeystowClientError)) return false;
  return error.code === 'unauthenticated' || error.code === 'forbidden';
}

function keep(added: readonly Point[], change: Partial<MetricsHistory>): void {
  const { points } = metricsHistory.value;
  const from = Date.now() - KEPT_MS;
  const kept = [...points, ...added].filter(({ at }) => at >= from);
  metricsHistory.value = { ...metricsHistory.value, ...change, points: kept };
}

function unknownAt(at: number): Point {
  return { at, values: charts.map(({ lines }) => lines.map(() => null)) };
}

/** Until the next reading is due, or the tab is looked at again. */
function pause(ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', done);
      document.removeEventListener('visibilitychange', done);
      resolve();
    };
    const timer = setTimeout(done, EVERY_MS);
    ended.addEventListener('abort', done);
    document.addEventListener('visibilitychange', done);
  });
}
