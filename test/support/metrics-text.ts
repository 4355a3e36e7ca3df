/** Prometheus' text, read strictly: https://prometheus.io/docs/instrumenting/exposition_formats/ */

export interface Metrics {
  /** Names of metrics, and of the series of histograms. */
  readonly names: ReadonlySet<string>;
  /** Of all series with the name whose labels are among these. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
  /** The values of one label. */
  values(name: string, label: string): ReadonlySet<string>;
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const TYPES = ['counter', 'gauge', 'histogram'];
const SAMPLE = /^([a-z_]+[a-z0-9_]*)(?:\{(.*)\})? (-?[0-9.eE+-]+|\+Inf|NaN)$/i;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/gy;

/** Throws at the first line that Prometheus would not take, or whose metric has no type or help. */
export function parseMetrics(text: string): Metrics {
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') helped.add(name);
    else if (kind === 'TYPE') {
      if (types.has(name) || !TYPES.includes(rest)) throw new Error(`Not a type: ${line}`);
      types.set(name, rest);
    } else {
      const sample = parseSample(line);
      const base = sample.name.replace(/_(?:bucket|sum|count)$/, '');
      const own = types.get(sample.name) ?? (types.get(base) === 'histogram' ? base : undefined);
      if (own === undefined) throw new Error(`No type before: ${line}`);
      samples.push(sample);
    }
  }
  for (const name of types.keys()) if (!helped.has(name)) throw new Error(`No help: ${name}`);
  const chosen = (name: string, labels: Readonly<Record<string, string>>): Sample[] =>
    samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
  return {
    names: new Set([...types.keys(), ...samples.map(({ name }) => name)]),
    sum: (name, labels = {}) => chosen(name, labels).reduce((total, { value }) => total + value, 0),
    values: (name, label) => new Set(chosen(name, {}).map(({ labels }) => labels[label] ?? '')),
  };
}

function parseSample(line: string): Sample {
  const [, name, inner = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`Not a sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let at = 0;
  while (at < inner.length) {
    const [all = '', label, text] = LABEL.exec(inner) ?? [];
    if (label === undefined || text === undefined) throw new Error(`Not labels: ${line}`);
    labels[label] = text;
    at += all.length;
  }
  return { name, labels, value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) };
}
