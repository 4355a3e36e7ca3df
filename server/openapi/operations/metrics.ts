import type { ApiOperation } from '../operation.ts';

export const metricsOperations: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/api/metrics',
    id: 'metrics',
    tag: 'Service',
    summary: 'What the server does, in numbers',
    description: 'For admins, or with METRICS_TOKEN for a collector.',
    auth: 'or-metrics-token',
    answers: {
      200: {
        description: "Prometheus' text.",
        headers: ['Cache-Control'],
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
    },
  },
];
