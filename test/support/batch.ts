import { z } from 'zod';

/** What a batch answers, checked: no member is more or less than said. */

const headers = z.strictObject({ etag: z.string().optional(), location: z.string().optional() });
const answer = {
  method: z.string(),
  url: z.string(),
  status: z.int(),
  statusText: z.string(),
  headers: headers.optional(),
};
const answers = z.array(z.strictObject({ ...answer, data: z.unknown().optional() }));
const refusal = z.strictObject({
  error: z.string(),
  answers: z.array(
    z.strictObject({
      index: z.int(),
      ...answer,
      headers: z.looseObject({}).optional(),
      data: z.strictObject({ error: z.string() }),
    }),
  ),
});

export type BatchAnswers = z.infer<typeof answers>;
export type BatchRefusal = z.infer<typeof refusal>;

/** Of a 200. */
export function parseAnswers(json: unknown): BatchAnswers {
  return answers.parse(json);
}

/** Of a 409. */
export function parseRefusal(json: unknown): BatchRefusal {
  return refusal.parse(json);
}

export function put(key: string, data: unknown, headers?: Record<string, string>) {
  return { url: `/data/${key}`, method: 'PUT', data, ...(headers ? { headers } : {}) };
}

export function post(key: string, data?: unknown) {
  return { url: `/data/${key}`, method: 'POST', ...(data === undefined ? {} : { data }) };
}
