import { barePeer } from './bare.ts';

/** Koa without any middleware: what Keystow's framework could reach at most. It stores nothing. */
export const bareKoa = barePeer('bare Koa', 'koa');
