import { formatBytes, formatCount } from '../../parts/amounts.ts';
import type { MetricWindow } from './metric-window.ts';

/** What the charts show, and of which metrics: docs/monitoring.md says what they tell. */

export interface Line {
  readonly name: string;
  /** A colour of `style/base.css`. */
  readonly tone: 'accent' | 'good' | 'warning' | 'danger' | 'muted';
  /** Lines differ in more than their colour. */
  readonly dash?: readonly number[];
  read(metrics: MetricWindow): number | undefined;
}

export interface ChartDefinition {
  readonly title: string;
  readonly hint?: string;
  readonly format: (value: number) => string;
  /** Then steps of the axis are powers of two. */
  readonly isBytes?: boolean;
  readonly lines: readonly Line[];
}

const REQUESTS = 'keystow_request_duration_seconds';
const DASHED = [6, 4];
const DOTTED = [2, 3];
const MIXED = [8, 3, 2, 3];

export const charts: readonly ChartDefinition[] = [
  {
    title: 'Requests',
    hint: 'Answers a second, those to this page among them.',
    format: formatRate,
    lines: [
      { name: '2xx', tone: 'good', read: answers('2') },
      { name: '3xx', tone: 'accent', dash: DASHED, read: answers('3') },
      { name: '4xx', tone: 'warning', dash: MIXED, read: answers('4') },
      { name: '5xx', tone: 'danger', dash: DOTTED, read: answers('5') },
    ],
  },
  {
    title: 'Latency',
    hint: 'From a request to the end of its answer; feeds are left out.',
    format: formatSeconds,
    lines: [
      { name: 'half within', tone: 'accent', read: latency(0.5) },
      { name: '99 % within', tone: 'warning', dash: DASHED, read: latency(0.99) },
    ],
  },
  {
    title: 'Commits',
    hint: 'Writes a second, and checks that did not hold.',
    format: formatRate,
    lines: [
      { name: 'stored', tone: 'good', read: commits('stored') },
      { name: 'conflict', tone: 'warning', dash: DASHED, read: commits('conflict') },
      { name: 'refused', tone: 'danger', dash: DOTTED, read: commits('refused') },
    ],
  },
  {
    title: 'Writing to disk',
    hint: 'One batch of commits, written and synced.',
    format: formatSeconds,
    lines: [
      { name: 'half within', tone: 'accent', read: batches(0.5) },
      { name: '99 % within', tone: 'warning', dash: DASHED, read: batches(0.99) },
    ],
  },
  {
    title: 'Storage',
    hint: 'Free space of the disk; below the limit writes are refused.',
    format: formatBytes,
    isBytes: true,
    lines: [
      { name: 'free', tone: 'good', read: gauge('keystow_disk_free_bytes') },
      { name: 'limit', tone: 'danger', dash: DASHED, read: gauge('keystow_disk_min_free_bytes') },
    ],
  },
  {
    title: 'Bytes stored',
    hint: 'What is written to the store, and uploads, a second.',
    format: formatByteRate,
    isBytes: true,
    lines: [
      { name: 'store', tone: 'accent', read: rate('keystow_batch_bytes_sum') },
      {
        name: 'uploads',
        tone: 'good',
        dash: DASHED,
        read: rate('keystow_upload_bytes_total'),
      },
    ],
  },
  {
    title: 'Clients',
    hint: 'Connections, those of Socket.IO, and feeds of changes.',
    format: formatCount,
    lines: [
      { name: 'connections', tone: 'muted', read: gauge('keystow_connections') },
      { name: 'sockets', tone: 'accent', dash: DASHED, read: gauge('keystow_sockets') },
      { name: 'feeds', tone: 'good', dash: DOTTED, read: gauge('keystow_feeds') },
    ],
  },
  {
    title: 'Event loop delay',
    hint: 'Everything waits for the event loop; over 100 ms it has too much to do.',
    format: formatSeconds,
    lines: [
      { name: 'half within', tone: 'accent', read: gauge('nodejs_eventloop_lag_p50_seconds') },
      {
        name: '99 % within',
        tone: 'warning',
        dash: DASHED,
        read: gauge('nodejs_eventloop_lag_p99_seconds'),
      },
    ],
  },
];

function answers(firstDigit: string): Line['read'] {
  return ({ rate }) =>
    rate(`${REQUESTS}_count`, (labels) => labels.get('status')?.startsWith(firstDigit) ?? false);
}

/** A stream of changes lasts as long as its client stays. */
function latency(q: number): Line['read'] {
  return ({ quantile }) =>
    quantile(q, REQUESTS, (labels) => labels.get('route') !== '/api/changes');
}

function batches(q: number): Line['read'] {
  return ({ quantile }) => quantile(q, 'keystow_batch_duration_seconds');
}

function commits(outcome: string): Line['read'] {
  return ({ rate }) => rate('keystow_commits_total', (labels) => labels.get('outcome') === outcome);
}

function gauge(name: string): Line['read'] {
  return (metrics) => metrics.gauge(name);
}

function rate(name: string): Line['read'] {
  return (metrics) => metrics.rate(name);
}

function formatRate(value: number): string {
  return `${brief(value)}/s`;
}

function formatByteRate(value: number): string {
  return `${formatBytes(value)}/s`;
}

function formatSeconds(value: number): string {
  if (value === 0) return '0 ms';
  if (value < 0.001) return `${brief(value * 1_000_000)} µs`;
  return value < 1 ? `${brief(value * 1_000)} ms` : `${brief(value)} s`;
}

/** Three digits are enough for a look. */
function brief(value: number): string {
  if (value === 0 || Math.abs(value) >= 100) return formatCount(Math.round(value));
  return value.toLocaleString(undefined, { maximumSignificantDigits: 3 });
}
