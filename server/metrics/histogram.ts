/**
 * How often which values were seen. prom-client's own takes half a microsecond for each of them, ten
 * times as much as this one; who answers a document has twenty in all (docs/performance.md).
 */
export interface Histogram {
  /** Upper bounds, ascending; a value lies in the first bucket that holds it, or behind them all. */
  readonly bounds: readonly number[];
  /** Of each bucket, and at the end of what lies behind them all. */
  readonly counts: readonly number[];
  readonly sum: number;
  observe(value: number): void;
}

export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  return {
    bounds,
    counts,
    get sum() {
      return sum;
    },
    observe(value) {
      let at = 0;
      // Most values lie in the first buckets.
      while (value > (bounds[at] ?? Number.POSITIVE_INFINITY)) at += 1;
      counts[at] = (counts[at] ?? 0) + 1;
      sum += value;
    },
  };
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly histogram: Histogram;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export function histogramText(name: string, help: string, all: Iterable<Series>): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { labels, histogram } of all) {
    const own = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
    const outer = own.length === 0 ? '' : `{${own.join(',')}}`;
    let count = 0;
    for (const [at, bucket] of histogram.counts.entries()) {
      count += bucket;
      const bound = histogram.bounds[at] ?? '+Inf';
      lines.push(`${name}_bucket{${[...own, `le="${bound}"`].join(',')}} ${count}`);
    }
    lines.push(`${name}_sum${outer} ${histogram.sum}`, `${name}_count${outer} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
