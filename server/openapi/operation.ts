import type { z } from 'zod';
import type { HeaderName } from './headers.ts';

/** How an operation of the JSON API is written down; render.ts makes the OpenAPI document of them. */

export type JsonSchema = Readonly<Record<string, unknown>>;
/** A schema that validates requests or types answers, or JSON Schema where there is none. */
export type Schema = z.ZodType | JsonSchema;

/** By media type. Without a schema the bytes are whatever they are. */
export type Content = Readonly<
  Record<string, { readonly schema?: Schema; readonly example?: unknown }>
>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly schema: JsonSchema;
  readonly example?: string | number;
}

export interface Answer {
  readonly description: string;
  /** Besides `X-Request-Id`, which every answer has. */
  readonly headers?: readonly HeaderName[];
  readonly content?: Content;
}

export type Method = 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete';

export interface ApiOperation {
  readonly method: Method;
  /** With its parameters in braces. */
  readonly path: string;
  /** Generators name functions after it. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Basic credentials unless told. */
  readonly auth?: 'none' | 'unless-anonymous-signing' | 'or-metrics-token';
  /** It changes something: the disk may be full, or have failed. */
  readonly isWrite?: true;
  readonly parameters?: readonly Parameter[];
  readonly request?: { readonly isOptional?: true; readonly content: Content };
  /** By status: what it answers when all is well, or `{"error"}` with a description that is a string. */
  readonly answers: Readonly<Record<number, Answer | string>>;
  readonly externalDocs?: { readonly description: string; readonly url: string };
}

export function json(schema: Schema, example?: unknown): Content {
  return { 'application/json': example === undefined ? { schema } : { schema, example } };
}

export function inPath(
  name: string,
  description: string,
  schema: JsonSchema,
  example: string | number,
): Parameter {
  return { name, in: 'path', description, schema, example };
}

export function inQuery(name: string, description: string, schema: JsonSchema): Parameter {
  return { name, in: 'query', description, schema };
}

export function wholeNumber(minimum: number, maximum: number): JsonSchema {
  return { type: 'integer', minimum, maximum };
}

export function inHeader(name: string, description: string): Parameter {
  return { name, in: 'header', description, schema: { type: 'string' } };
}

export const ifMatch = inHeader(
  'If-Match',
  'Only if it has one of these ETags now, or `*`: if it is there (RFC 9110).',
);
export const ifNoneMatch = inHeader(
  'If-None-Match',
  'Only if it has none of these ETags now, or `*`: if it is not there (RFC 9110).',
);
