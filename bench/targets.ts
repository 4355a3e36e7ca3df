import { CREATES } from './measures/creates.ts';
import { FORMS, LARGE_FORMS, STREAM } from './measures/forms.ts';
import { GETS, getsOf, withFewKeys } from './measures/gets.ts';
import { LISTS } from './measures/lists.ts';
import type { Findings, Row } from './measures/measure.ts';
import { LOADS, socketOf } from './measures/socket.ts';
import { FIRST_START, idleWith, startAfterKill, startWith } from './measures/start.ts';
import { TLS_CREATES, TLS_GETS, WITHOUT_TLS } from './measures/tls.ts';
import { median } from './median.ts';
import { bareKoa } from './peers/bare-koa.ts';
import { bareSocketIo } from './peers/bare-socket-io.ts';
import { bareUpload } from './peers/bare-upload.ts';
import { etcd } from './peers/etcd.ts';
import { keystow } from './peers/keystow.ts';
import { nginx } from './peers/nginx.ts';
import { s3rver } from './peers/s3rver.ts';
import { webdis } from './peers/webdis.ts';

/** What Keystow is to reach, as a figure of one run. */
export interface Target {
  readonly measure: string;
  /** What the figure is: beside which server, or in which unit. */
  readonly figure: string;
  /** Undefined: it is only told. */
  readonly aim: { readonly atLeast: number } | { readonly atMost: number } | undefined;
  /** Undefined where the run has not measured it. */
  readonly value: number | undefined;
  /** The same ratio, of answers for one second of CPU time. */
  readonly byCpu?: number | undefined;
}

/** The targets and this run's figures, of the measures that were run. */
export function targetsOf(findings: Findings, keys: number): Target[] {
  const { rows } = findings;
  const many = getsOf(keys);
  const { quotient, atLeast, atMost, ofSockets } = targetMakers(findings);
  const targets: Target[] = [
    atLeast(0.8, CREATES, bareKoa.name),
    atLeast(3, CREATES, etcd.name),
    atLeast(0.55, CREATES, webdis.name),
    {
      measure: CREATES,
      figure: `p99 ÷ ${etcd.name}`,
      aim: { atMost: 0.5 },
      value: quotient(p99Of, CREATES, etcd.name),
    },
    atLeast(0.75, GETS, bareKoa.name),
    atLeast(2.5, GETS, etcd.name),
    atLeast(0.75, many, bareKoa.name),
    atLeast(2.5, many, withFewKeys(etcd.name)),
    atLeast(0.9, many, withFewKeys(keystow.name)),
    atLeast(10, LISTS, etcd.name),
    ...ofSockets(0.7, 'gets'),
    ...ofSockets(0.45, 'creates'),
    atLeast(0.65, TLS_CREATES, WITHOUT_TLS),
    atLeast(0.65, TLS_GETS, WITHOUT_TLS),
    atLeast(7, FORMS, s3rver.name),
    atLeast(0.3, FORMS, nginx.name),
    atLeast(1.1, LARGE_FORMS, s3rver.name),
    atLeast(1.15, STREAM, s3rver.name),
    atLeast(0.36, STREAM, nginx.name),
    {
      measure: STREAM,
      figure: `${bareUpload.name} ÷ ${nginx.name}`,
      aim: undefined,
      value: quotient(rateOf, STREAM, nginx.name, bareUpload.name),
      byCpu: quotient(answersPerCpuSecond, STREAM, nginx.name, bareUpload.name),
    },
    atMost(100, idleWith(keys), 'MiB'),
    { measure: 'RSS, peak of all', figure: 'MiB', aim: { atMost: 256 }, value: peakOf(rows) },
    atMost(1.5, FIRST_START, 's', 1_000),
    atMost(2, startWith(keys), 's', 1_000),
    atMost(2, startAfterKill(keys), 's', 1_000),
  ];
  const measured = new Set([
    ...targets.filter(({ value }) => value !== undefined).map(({ measure }) => measure),
    ...rows.map(({ measure }) => measure),
  ]);
  return targets.filter(({ measure }) => measured.has(measure));
}

/** How targets are made of what was found. */
function targetMakers({ rows, figures = [] }: Findings) {
  const rowOf = (measure: string, server: string) =>
    rows.find((row) => row.measure === measure && row.server === server);
  const quotient = (
    of: (row: Row) => number | undefined,
    measure: string,
    beside: string,
    server = keystow.name,
  ) => {
    const [mine, others] = [rowOf(measure, server), rowOf(measure, beside)];
    const [a, b] = [mine && of(mine), others && of(others)];
    return a === undefined || b === undefined ? undefined : a / b;
  };
  const atLeast = (least: number, measure: string, beside: string): Target => ({
    measure,
    figure: `÷ ${beside}`,
    aim: { atLeast: least },
    value: quotient(rateOf, measure, beside),
    byCpu: quotient(answersPerCpuSecond, measure, beside),
  });
  const atMost = (most: number, measure: string, unit: string, divisor = 1): Target => {
    const values = figures.find(({ what }) => what === measure)?.values ?? [];
    const value = values.length === 0 ? undefined : median(values) / divisor;
    return { measure, figure: unit, aim: { atMost: most }, value };
  };
  const ofSockets = (least: number, kind: 'creates' | 'gets') =>
    LOADS.filter((load) => load.kind === kind).map((load) =>
      atLeast(least, socketOf(load), bareSocketIo.name),
    );
  return { quotient, atLeast, atMost, ofSockets };
}

const rateOf = ({ rounds }: Row) => median(rounds.map(({ rate }) => rate));
const p99Of = ({ rounds }: Row) => median(rounds.map(({ p99 }) => p99));
const answersPerCpuSecond = ({ microseconds }: Row) => microseconds && 1e6 / microseconds;

/** The highest peak of a Keystow with its embedded store. */
function peakOf(rows: readonly Row[]): number | undefined {
  const peaks = rows
    .filter(({ server }) => server.startsWith(keystow.name))
    .flatMap(({ peakMib }) => peakMib ?? []);
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}
