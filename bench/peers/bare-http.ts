import { barePeer } from './bare.ts';

/** `node:http` alone: what any Node.js server could reach at most. It stores nothing. */
export const bareHttp = barePeer('bare node:http', 'http');
