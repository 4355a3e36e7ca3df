/** As much of an OpenAPI document as the tests read. */

export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

export interface OpenApiDocument {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly headers: Readonly<Record<string, OpenApiHeader>>;
    readonly responses: Readonly<Record<string, OpenApiResponse>>;
    readonly schemas: Readonly<Record<string, Json>>;
  };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly tags: readonly string[];
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: OpenApiContent;
  };
  readonly responses: Readonly<Record<string, OpenApiResponse | Reference>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: { readonly type?: string; readonly minimum?: number; readonly maximum?: number };
  readonly example?: string | number;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, OpenApiHeader | Reference>>;
  readonly content?: OpenApiContent;
}

export interface OpenApiHeader {
  readonly required: boolean;
  readonly schema: object;
}

export interface Reference {
  readonly $ref: string;
}

export type OpenApiContent = Readonly<
  Record<string, { readonly schema?: object; readonly example?: Json }>
>;

/** An operation and where it stands. */
export interface Placed {
  readonly method: string;
  readonly template: string;
  readonly operation: OpenApiOperation;
}

export function placedOperations(document: OpenApiDocument): Placed[] {
  return Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      template,
      operation,
    })),
  );
}

/** What a reference within the document refers to; what is none is itself. */
export function resolve<T extends object>(document: OpenApiDocument, value: T | Reference): T {
  if (!('$ref' in value)) return value;
  let found: unknown = document;
  for (const name of pointerParts(value.$ref)) {
    found = (found as Record<string, unknown>)[name];
  }
  return found as T;
}

function pointerParts(ref: string): string[] {
  return ref
    .slice('#/'.length)
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'));
}
