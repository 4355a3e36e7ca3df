/** How documents become values, and values documents: JSON texts on the wire. */
export interface Codec<Value> {
  parse(text: string): Value;
  stringify(value: Value): string;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * JSON.parse and JSON.stringify: numbers become doubles (integers past 2^53 and long fractions are rounded,
 * `1.0` becomes `1`), members whose names are numbers move to the front, and of two members with one name
 * the last stays.
 */
export const json: Codec<JsonValue> = { parse: JSON.parse, stringify: JSON.stringify };

/** The text itself: nothing is lost. */
export const text: Codec<string> = { parse: (sent) => sent, stringify: (given) => given };
