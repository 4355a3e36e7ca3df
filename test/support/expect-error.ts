import { expect } from 'vitest';
import type { RestAnswer } from './rest.ts';

/**
 * What every error answers: its status, and JSON with nothing but a sentence. The message is
 * compared whole where it is a string.
 */
export function expectError(answer: RestAnswer, status: number, message?: string | RegExp): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  const expected = typeof message === 'string' ? message : expect.stringMatching(message ?? /\w/);
  expect(answer.json).toEqual({ error: expected });
}
