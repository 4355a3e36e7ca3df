import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { type LoadRequest, type LoadTarget, PreparedRequest } from './prepared-request.ts';

/** Keep-alive connections of the load on every HTTP server. */
export const CONNECTIONS = 64;
// autocannon looks at its clock once per sample, so this is also how exact its durations are.
const SAMPLE_MS = 50;
const REQUEST_TIMEOUT_SECONDS = 10;
const PROBES = 5;
const PROBE_PAUSE_MS = 200;

/** What one round of load on one server gave. */
export interface Round {
  /** 2xx answers per second. */
  readonly rate: number;
  /** 99th percentile of the time to an answer, in milliseconds. */
  readonly p99: number;
  /** 2xx answers in all. */
  readonly answers: number;
  /** Other statuses and errors with their number; empty when there were none. */
  readonly failures: string;
}

/** How long a load takes, or how many requests it has; over 64 connections unless told. */
export type LoadLimit = { readonly connections?: number } & (
  | { readonly seconds: number }
  | { readonly amount: number }
);

/** Sends requests over keep-alive connections, one at a time on each. */
export async function runLoad(
  target: LoadTarget,
  next: () => LoadRequest,
  limit: LoadLimit,
): Promise<Round> {
  const { connections = CONNECTIONS } = limit;
  const result = await autocannon({
    url: target.url,
    // autocannon takes several, its types know of one.
    ...(target.urls && ({ url: target.urls } as object)),
    timeout: REQUEST_TIMEOUT_SECONDS,
    sampleInt: SAMPLE_MS,
    ...('seconds' in limit
      ? { connections, duration: limit.seconds }
      : { connections: Math.min(connections, limit.amount), amount: limit.amount }),
    setupClient: (client) => client.setRequests([new PreparedRequest(target, next)]),
  });
  const answers = result['2xx'];
  return {
    rate: answers / result.duration,
    p99: result.latency.p99,
    answers,
    failures: describeFailures(result),
  };
}

function describeFailures(result: autocannon.Result): string {
  const statuses = Object.entries(result.statusCodeStats ?? {})
    .filter(([status]) => !status.startsWith('2'))
    .map(([status, { count }]) => `${count ?? 0} × ${status}`);
  const otherErrors = result.errors - result.timeouts;
  const errors = [
    ...(otherErrors > 0 ? [`${otherErrors} connection errors`] : []),
    ...(result.timeouts > 0 ? [`${result.timeouts} timeouts`] : []),
  ];
  return [...statuses, ...errors].join(', ');
}

/** Stores a document under each of these keys; throws unless every answer is 2xx. */
export async function fill(
  target: LoadTarget,
  keys: readonly string[],
  create: (key: string) => LoadRequest,
): Promise<void> {
  const remaining = keys.values();
  const next = () => {
    const { value } = remaining.next();
    if (value === undefined) throw new Error('The load asked for more requests than there are.');
    return create(value);
  };
  const { answers, failures } = await runLoad(target, next, { amount: keys.length });
  if (answers !== keys.length) {
    throw new Error(`${target.url} stored ${answers} of ${keys.length} documents: ${failures}.`);
  }
}

/**
 * Sends a request until the answer is 2xx and what it expects; throws after several attempts. What a load has left behind
 * may still be on its way: webdis then gives the next request an answer that was another's.
 */
export async function probe(target: LoadTarget, request: LoadRequest): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const problem = await problemOf(target, request);
    if (problem === undefined) return;
    if (attempt === PROBES) throw new Error(problem);
    await delay(PROBE_PAUSE_MS);
  }
}

async function problemOf(target: LoadTarget, request: LoadRequest): Promise<string | undefined> {
  const send = target.ca === undefined ? httpRequest : httpsRequest;
  const sent = send(new URL(request.path, target.url), {
    method: request.method,
    headers: target.headers,
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_SECONDS * 1_000),
    ...(target.ca === undefined ? {} : { ca: target.ca }),
  }).end(request.body);
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (!response) throw new Error('There was no answer.');
  const answer = await text(response);
  const { statusCode = 0 } = response;
  const isRight = statusCode >= 200 && statusCode < 300 && answer.includes(request.expect ?? '');
  if (isRight) return undefined;
  const about = `${request.method} ${request.path} at ${target.url}`;
  return `${about} was answered ${statusCode}: ${answer.slice(0, 500)}`;
}
