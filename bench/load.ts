import autocannon from 'autocannon';
import { type LoadRequest, type LoadTarget, PreparedRequest } from './prepared-request.ts';

/** Keep-alive connections of the load on every HTTP server. */
export const CONNECTIONS = 64;
// autocannon looks at its clock once per sample, so this is also how exact its durations are.
const SAMPLE_MS = 50;
const REQUEST_TIMEOUT_SECONDS = 10;

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

/**
 * Sends requests over 64 connections, one at a time on each, for some seconds or up to an amount.
 */
export async function runLoad(
  target: LoadTarget,
  next: () => LoadRequest,
  limit: { readonly seconds: number } | { readonly amount: number },
): Promise<Round> {
  const result = await autocannon({
    url: target.url,
    // autocannon takes several, its types know of one.
    ...(target.urls && ({ url: target.urls } as object)),
    timeout: REQUEST_TIMEOUT_SECONDS,
    sampleInt: SAMPLE_MS,
    ...('seconds' in limit
      ? { connections: CONNECTIONS, duration: limit.seconds }
      : { connections: Math.min(CONNECTIONS, limit.amount), amount: limit.amount }),
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

/** Sends one request and throws unless the answer is 2xx and what the request expects. */
export async function probe(target: LoadTarget, request: LoadRequest): Promise<void> {
  const response = await fetch(new URL(request.path, target.url), {
    method: request.method,
    headers: target.headers,
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_SECONDS * 1_000),
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const text = await response.text();
  if (!response.ok || !text.includes(request.expect ?? '')) {
    const about = `${request.method} ${request.path} at ${target.url}`;
    throw new Error(`${about} was answered ${response.status}: ${text.slice(0, 500)}`);
  }
}
