import type { Exposition, Sample } from './parse-exposition.ts';

/** What happened between two readings of the metrics. */

export interface Reading extends Exposition {
  /** Milliseconds since 1970, by this page's clock. */
  readonly at: number;
}

type Where = (labels: ReadonlyMap<string, string>) => boolean;

/** Each is undefined where it is not known: a first reading, a server that began anew, a metric that it lacks. */
export interface MetricWindow {
  /** As it is now; several are summed up. */
  gauge(name: string): number | undefined;
  /** The labels of the first of that name. */
  labels(name: string): ReadonlyMap<string, string> | undefined;
  /** Per second. */
  rate(counter: string, where?: Where): number | undefined;
  /** Of what a histogram has seen in between; undefined where that was nothing. */
  quantile(q: number, histogram: string, where?: Where): number | undefined;
}

const EVERYTHING: Where = () => true;

export function metricWindow(before: Reading | undefined, now: Reading): MetricWindow {
  const seconds = before ? (now.at - before.at) / 1_000 : 0;
  const grown = before && seconds > 0 ? growth(before, now) : undefined;

  const increase = (name: string, where: Where): number | undefined => {
    const found = grown?.get(name)?.filter(({ labels }) => where(labels));
    return found?.reduce((sum, { value }) => sum + value, 0);
  };

  return {
    gauge(name) {
      const found = now.samples.filter((sample) => sample.name === name);
      const sum = found.reduce((total, { value }) => total + value, 0);
      return found.length > 0 && !Number.isNaN(sum) ? sum : undefined;
    },
    labels: (name) => now.samples.find((sample) => sample.name === name)?.labels,
    rate(name, where = EVERYTHING) {
      const found = increase(name, where);
      return found === undefined ? undefined : found / seconds;
    },
    quantile(q, name, where = EVERYTHING) {
      const counts = new Map<number, number>();
      for (const { labels, value } of grown?.get(`${name}_bucket`) ?? []) {
        if (!where(labels)) continue;
        const le = labels.get('le') ?? '';
        const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
        counts.set(bound, (counts.get(bound) ?? 0) + value);
      }
      return histogramQuantile(q, counts);
    },
  };
}

/**
 * By how much counters and histograms have grown, by name. Undefined where one has fallen or is gone: the server was
 * started anew, or another one has answered, and what lies between is not known.
 */
function growth(before: Reading, now: Reading): ReadonlyMap<string, readonly Sample[]> | undefined {
  const earlier = new Map<string, number>();
  for (const sample of before.samples) {
    if (isCounted(sample, before)) earlier.set(keyOf(sample), sample.value);
  }
  if (startOf(before) !== startOf(now)) return undefined;
  const grown = new Map<string, Sample[]>();
  for (const sample of now.samples) {
    if (!isCounted(sample, now)) continue;
    const key = keyOf(sample);
    const value = sample.value - (earlier.get(key) ?? 0);
    earlier.delete(key);
    if (value < 0) return undefined;
    const same = grown.get(sample.name) ?? [];
    same.push({ ...sample, value });
    grown.set(sample.name, same);
  }
  return earlier.size === 0 ? grown : undefined;
}

function isCounted({ name }: Sample, { types }: Exposition): boolean {
  if (types.get(name) === 'counter') return true;
  return types.get(name.replace(/_(?:bucket|count|sum)$/, '')) === 'histogram';
}

/** Two processes may have counted equally far. */
function startOf({ samples }: Exposition): number | undefined {
  return samples.find(({ name }) => name === 'process_start_time_seconds')?.value;
}

function keyOf({ name, labels }: Sample): string {
  const pairs = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, pairs]);
}

/**
 * As Prometheus does: evenly spread within a bucket, and the last bound for what lies behind it. `counts` has by upper
 * bound how many lie at or below it. https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function histogramQuantile(
  q: number,
  counts: ReadonlyMap<number, number>,
): number | undefined {
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const rank = q * total;
  let [lower, below] = [0, 0];
  for (const [upper, count] of buckets) {
    if (count >= rank && count > below) {
      if (upper === Number.POSITIVE_INFINITY) return lower;
      return lower + (upper - lower) * ((rank - below) / (count - below));
    }
    if (upper !== Number.POSITIVE_INFINITY) lower = upper;
    below = count;
  }
  return lower;
}
