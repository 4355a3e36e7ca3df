import type { ApiOperation } from '../operation.ts';

/** What operators and their tools ask for. */

const tag = 'Operating';

export const operatingOperations: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/api/metrics',
    id: 'metrics',
    tag,
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
  {
    method: 'get',
    path: '/api/backup',
    id: 'backup',
    tag,
    summary: 'A backup of everything, at one number',
    description:
      'For admins. `keystow backup` takes it, and `keystow restore` reads it. Not over Socket.IO.',
    answers: {
      200: {
        description: 'A tar archive.',
        headers: ['BackupRevision'],
        content: { 'application/x-tar': {} },
      },
    },
  },
];
