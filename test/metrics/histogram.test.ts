import { expect, it } from 'vitest';
import { createHistogram, histogramText } from '../../server/metrics/histogram.ts';
import { createRequestCounts } from '../../server/metrics/request-counts.ts';

it('counts each value in the first bucket that holds it, and tells them cumulated', () => {
  const histogram = createHistogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, 1_000]) histogram.observe(value);
  const all = [{ labels: { via: 'http', route: '/a"\\\nb' }, histogram }];
  expect(histogramText('x_seconds', 'Help.', all).split('\n')).toEqual([
    '# HELP x_seconds Help.',
    '# TYPE x_seconds histogram',
    'x_seconds_bucket{via="http",route="/a\\"\\\\\\nb",le="1"} 2',
    'x_seconds_bucket{via="http",route="/a\\"\\\\\\nb",le="2"} 4',
    'x_seconds_bucket{via="http",route="/a\\"\\\\\\nb",le="5"} 5',
    'x_seconds_bucket{via="http",route="/a\\"\\\\\\nb",le="+Inf"} 7',
    'x_seconds_sum{via="http",route="/a\\"\\\\\\nb"} 1014.6',
    'x_seconds_count{via="http",route="/a\\"\\\\\\nb"} 7',
    '',
  ]);
});

it('tells nothing of labels where there are none', () => {
  const histogram = createHistogram([1]);
  expect(histogramText('x', 'Help.', [{ labels: {}, histogram }])).toBe(
    '# HELP x Help.\n# TYPE x histogram\nx_bucket{le="1"} 0\nx_bucket{le="+Inf"} 0\nx_sum 0\nx_count 0\n',
  );
});

it('keeps requests apart by way, method, route and status', () => {
  const counts = createRequestCounts();
  counts.answered('http', 'GET', '/data', 200, 3);
  counts.answered('http', 'GET', '/data', 200, 4);
  counts.answered('http', 'GET', '/data', 'aborted', 1);
  counts.answered('socket', 'GET', '/data', 200, 1);
  counts.answered('http', 'PUT', '/data', 200, 1);
  const seen = [...counts.series()].map(({ labels, histogram }) => [
    Object.values(labels).join(' '),
    histogram.counts.reduce((sum, count) => sum + count, 0),
    histogram.sum,
  ]);
  expect(seen).toEqual([
    ['http GET /data 200', 2, 0.007],
    ['http GET /data aborted', 1, 0.001],
    ['http PUT /data 200', 1, 0.001],
    ['socket GET /data 200', 1, 0.001],
  ]);
});
