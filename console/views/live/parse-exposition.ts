/** Prometheus' text: https://prometheus.io/docs/instrumenting/exposition_formats/ */

export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface Exposition {
  /** By the metric's name: `counter`, `gauge`, `histogram`, … */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
}

const TYPE = /^#[ \t]+TYPE[ \t]+(\S+)[ \t]+(\S+)/;
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*,?/y;
/** A time stamp may follow, which nobody here needs. */
const VALUE = /[ \t]*(\S+)(?:[ \t]+-?\d+)?[ \t]*$/y;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Throws at what Prometheus would not take either. */
export function parseExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (line.startsWith('#')) {
      const [, name, type] = TYPE.exec(line) ?? [];
      if (name !== undefined && type !== undefined) types.set(name, type);
    } else samples.push(parseSample(line));
  }
  return { types, samples };
}

function parseSample(line: string): Sample {
  const unreadable = () => new Error(`This line of the metrics cannot be read: ${line}`);
  const labels = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (found) at = pattern.lastIndex;
    return found;
  };

  const name = take(NAME)?.[0];
  if (name === undefined) throw unreadable();
  if (line[at] === '{') {
    at += 1;
    for (let found = take(LABEL); found; found = take(LABEL)) {
      const [, label = '', value = ''] = found;
      labels.set(label, unescaped(value));
    }
    if (line[at] !== '}') throw unreadable();
    at += 1;
  }
  const value = numberOf(take(VALUE)?.[1] ?? '');
  if (value === undefined) throw unreadable();
  return { name, labels, value };
}

function unescaped(value: string): string {
  if (!value.includes('\\')) return value;
  return value.replace(/\\(.)/g, (all, char: string) => {
    if (char === 'n') return '\n';
    return char === '"' || char === '\\' ? char : all;
  });
}

function numberOf(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text);
  if (!special) return undefined;
  if (/nan/i.test(text)) return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
