import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Metrics, parseMetrics } from '../support/metrics-text.ts';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The dashboard and the documents name the metrics that there are. */

/** What PromQL calls by a name that looks like a metric's. */
const METRIC = /\b(?:keystow|nodejs|process)_[a-z0-9_]+\b/g;

let server: TestServer;
let metrics: Metrics;

beforeAll(async () => {
  server = await startServer();
  const rest = createRest(server.url);
  await rest('POST', '/data/a', '{}');
  await rest('GET', '/api/metrics');
  metrics = parseMetrics((await rest('GET', '/api/metrics')).text);
});

afterAll(() => server.stop());

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

async function panels(): Promise<readonly Panel[]> {
  return JSON.parse(await readFile('docs/grafana-dashboard.json', 'utf8')).panels;
}

describe('the dashboard', () => {
  it('asks only for metrics that there are, by labels that they have', async () => {
    const queries = (await panels()).flatMap(({ targets = [] }) => targets);
    expect(queries.length).toBeGreaterThan(30);
    for (const { expr, legendFormat } of queries) {
      const asked = expr.match(METRIC) ?? [];
      expect(asked.length, expr).toBeGreaterThan(0);
      for (const name of asked) expect([...metrics.names], expr).toContain(name);
      // Prometheus itself adds the instance.
      const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      for (const label of labels.filter((each) => each !== 'instance')) {
        const seen = asked.flatMap((name) => [...metrics.values(name, label)]);
        expect(
          seen.filter((value) => value !== ''),
          `${label} of ${expr}`,
        ).not.toEqual([]);
      }
    }
  });

  it('shows every metric of this project', async () => {
    const shown = JSON.stringify(await panels()).match(METRIC) ?? [];
    const bases = new Set(shown.map(baseOf));
    for (const name of own()) expect([...bases]).toContain(name);
  });
});

describe('docs/monitoring.md', () => {
  it('names every metric of this project, and none that is not there', async () => {
    const text = await readFile('docs/monitoring.md', 'utf8');
    const named = new Set((text.match(METRIC) ?? []).map(baseOf));
    for (const name of own()) expect([...named]).toContain(name);
    const known = new Set([...metrics.names].map(baseOf));
    for (const name of named) expect([...known]).toContain(name);
  });
});

function own(): string[] {
  return [...new Set([...metrics.names].filter((name) => name.startsWith('keystow_')).map(baseOf))];
}

/** Of the series of a histogram. */
function baseOf(name: string): string {
  return name.replace(/_(?:bucket|sum|count)$/, '');
}
