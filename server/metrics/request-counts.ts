import type { RequestMeter, Via } from '../http/request-meter.ts';
import { createHistogram, type Histogram, type Series } from './histogram.ts';

/** Requests by way, route, method and status, and how long they took, in seconds. */
export interface RequestCounts extends RequestMeter {
  series(): Iterable<Series>;
}

/** In seconds: a document takes less than a millisecond, an upload minutes. */
const BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

type Status = Parameters<RequestMeter['answered']>[3];
type ByStatus = Map<Status, Histogram>;
type ByRoute = Map<string, ByStatus>;
type ByMethod = Map<string, ByRoute>;

export function createRequestCounts(): RequestCounts {
  const ways: Record<Via, ByMethod> = { http: new Map(), socket: new Map() };
  return {
    answered(via, method, route, status, milliseconds) {
      // Looked up level by level: a joined key would cost more than all the rest.
      const histogram = ways[via].get(method)?.get(route)?.get(status);
      (histogram ?? begin(ways[via], method, route, status)).observe(milliseconds / 1_000);
    },

    *series() {
      for (const [via, methods] of Object.entries(ways)) {
        for (const [method, routes] of methods) {
          for (const [route, statuses] of routes) {
            for (const [status, histogram] of statuses) {
              yield { labels: { via, method, route, status: String(status) }, histogram };
            }
          }
        }
      }
    },
  };
}

function begin(methods: ByMethod, method: string, route: string, status: Status): Histogram {
  const routes: ByRoute = methods.get(method) ?? new Map();
  methods.set(method, routes);
  const statuses: ByStatus = routes.get(route) ?? new Map();
  routes.set(route, statuses);
  const histogram = createHistogram(BOUNDS);
  statuses.set(status, histogram);
  return histogram;
}
