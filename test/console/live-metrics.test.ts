import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { histogramQuantile, metricWindow } from '../../console/views/live/metric-window.ts';
import { parseExposition } from '../../console/views/live/parse-exposition.ts';
import { createHistogram, histogramText } from '../../server/metrics/histogram.ts';

/** What the console's charts make of the metrics' text. */

const ODD = ['\\', '"', '\n', 'n', '{', '}', ',', '=', ' ', '#', '\r', '\u2028', 'ü', '\u{1f600}'];

describe('reading Prometheus’ text', () => {
  it('reads labels with escapes, and all kinds of numbers', () => {
    const text = [
      '# HELP a What "it" is {not}.',
      '# TYPE a counter',
      'a{path="C:\\\\n\\"{x}\\",y",line="1\\n2",} 1.5e3 1700000000000',
      'b_bucket{le="+Inf"} +Inf',
      'c NaN',
      'd -Inf',
      ' ',
      'e{} .5',
    ].join('\n');
    const { types, samples } = parseExposition(text);
    expect([...types]).toEqual([['a', 'counter']]);
    expect(samples.map(({ name, labels, value }) => [name, [...labels], value])).toEqual([
      [
        'a',
        [
          ['path', 'C:\\n"{x}",y'],
          ['line', '1\n2'],
        ],
        1_500,
      ],
      ['b_bucket', [['le', '+Inf']], Number.POSITIVE_INFINITY],
      ['c', [], Number.NaN],
      ['d', [], Number.NEGATIVE_INFINITY],
      ['e', [], 0.5],
    ]);
  });

  it.each(['a', 'a{', 'a{b="c} 1', 'a{b="c"} one', 'a{b=c} 1', '{b="c"} 1', 'a 1 2 3', 'a{b="c"'])(
    'refuses %j',
    (line) => {
      expect(() => parseExposition(`ok 1\n${line}\n`)).toThrow('cannot be read');
    },
  );

  it('finds again whatever was written', () => {
    const rest = fc.string({ unit: fc.constantFrom('a', 'Z', '_', '9'), maxLength: 8 });
    const name = rest.map((text) => `a${text}`);
    const labels = fc.dictionary(name, fc.string({ unit: fc.constantFrom(...ODD) }), {
      maxKeys: 3,
    });
    const sample = fc.record({ name, labels, value: fc.double() });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 5 }), (written) => {
        const { samples } = parseExposition(written.map(lineOf).join('\n'));
        const read = samples.map(({ name, labels, value }) => ({
          name,
          labels: [...labels],
          value: value + 0,
        }));
        const expected = written.map(({ name, labels, value }) => ({
          name,
          labels: Object.entries(labels),
          value: value + 0,
        }));
        expect(read).toEqual(expected);
      }),
    );
  });

  it('reads what the server writes', () => {
    const histogram = createHistogram([0.1, 1]);
    for (const value of [0.05, 0.5, 5]) histogram.observe(value);
    const labels = { route: '/data/*', odd: 'a"b\\c\nd' };
    const { types, samples } = parseExposition(
      histogramText('h', 'Help.', [{ labels, histogram }]),
    );
    expect(types.get('h')).toBe('histogram');
    expect(samples.map(({ value }) => value)).toEqual([1, 2, 3, 5.55, 3]);
    expect(Object.fromEntries(samples[0]?.labels ?? [])).toEqual({ ...labels, le: '0.1' });
  });
});

describe('between two readings', () => {
  const TYPES = '# TYPE requests counter\n# TYPE time histogram\n# TYPE all_total gauge\n';
  const reading = (at: number, text: string) => ({ at, ...parseExposition(TYPES + text) });

  it('counters are rates, and new series begin at nothing', () => {
    const before = reading(0, 'requests{s="200"} 100');
    const now = reading(2_000, 'requests{s="200"} 110\nrequests{s="404"} 4');
    const { rate } = metricWindow(before, now);
    expect(rate('requests')).toBe(7);
    expect(rate('requests', (labels) => labels.get('s') === '404')).toBe(2);
    expect(rate('requests', (labels) => labels.get('s') === '500')).toBe(0);
    expect(rate('unknown')).toBeUndefined();
  });

  it('nothing is known with the first reading but what is as it is', () => {
    const { rate, gauge, quantile } = metricWindow(
      undefined,
      reading(0, 'requests 1\nall_total 7'),
    );
    expect(rate('requests')).toBeUndefined();
    expect(quantile(0.5, 'time')).toBeUndefined();
    expect(gauge('all_total')).toBe(7);
    expect(gauge('unknown')).toBeUndefined();
  });

  it.each([
    ['fell', 'requests{s="1"} 5', 'requests{s="1"} 4'],
    ['is gone', 'requests{s="1"} 5\nrequests{s="2"} 1', 'requests{s="1"} 6'],
    [
      'counted as far in another process',
      'requests 5\nprocess_start_time_seconds 1',
      'requests 6\nprocess_start_time_seconds 2',
    ],
  ])('after a start anew, as a counter %s, there is a gap', (_, earlier, later) => {
    const { rate } = metricWindow(reading(0, earlier), reading(1_000, later));
    expect(rate('requests')).toBeUndefined();
  });

  it('a gauge may fall, whatever its name', () => {
    const before = reading(0, 'requests 1\nall_total 9');
    const now = reading(1_000, 'requests 2\nall_total 3');
    expect(metricWindow(before, now).rate('requests')).toBe(1);
  });

  it('quantiles are of what came in between', () => {
    const at = (low: number, middle: number, all: number, sum: number) =>
      `time_bucket{le="1"} ${low}\ntime_bucket{le="2"} ${middle}\ntime_bucket{le="+Inf"} ${all}\n` +
      `time_count ${all}\ntime_sum ${sum}`;
    const { quantile } = metricWindow(
      reading(0, at(900, 900, 900, 90)),
      reading(1_000, at(900, 910, 910, 105)),
    );
    expect(quantile(0.5, 'time')).toBe(1.5);
  });

  it('quantiles are within the bucket that holds them', () => {
    const bounds = [0.1, 0.5, 1, 5];
    const values = fc.array(fc.double({ min: 0.001, max: 8, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (seen, q) => {
        const counts = new Map(
          [...bounds, Number.POSITIVE_INFINITY].map((bound) => [
            bound,
            seen.filter((value) => value <= bound).length,
          ]),
        );
        const sorted = seen.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(q * seen.length) - 1)] ?? 0;
        const found = histogramQuantile(q, counts) ?? Number.NaN;
        const upper = bounds.find((bound) => exact <= bound) ?? Number.POSITIVE_INFINITY;
        const lower = bounds.findLast((bound) => bound < exact) ?? 0;
        expect(found).toBeGreaterThanOrEqual(lower);
        expect(found).toBeLessThanOrEqual(Math.min(upper, 5));
      }),
    );
    expect(histogramQuantile(0.5, new Map([[Number.POSITIVE_INFINITY, 0]]))).toBeUndefined();
  });
});

function lineOf(sample: { name: string; labels: Record<string, string>; value: number }): string {
  const labels = Object.entries(sample.labels).map(
    ([name, value]) =>
      `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  const value = String(sample.value).replace('Infinity', 'Inf');
  return `${sample.name}${labels.length > 0 ? `{${labels.join(',')}}` : ''} ${value}`;
}
