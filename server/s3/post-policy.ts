import { fieldKey } from './form-fields.ts';
import { type PolicyJson, parsePolicyJson } from './policy-json.ts';
import { rememberRecent } from './remember-recent.ts';
import { S3Error } from './s3-error.ts';
import { parseIso8601 } from './timestamps.ts';

/** What one condition asks; `text` is how S3 shows it in errors: `["eq", "$key", "a"]`. */
export type PolicyCondition = { readonly text: string } & (
  | {
      readonly operator: 'eq' | 'starts-with';
      /** In lower case, without its `$`; undefined when it had none: such a condition never holds. */
      readonly field: string | undefined;
      readonly value: string;
    }
  | {
      readonly operator: 'content-length-range';
      /** In bytes, both inclusive; undefined for words instead of numbers: that never holds. */
      readonly range: ContentLengthRange | undefined;
    }
);

export interface ContentLengthRange {
  readonly min: number;
  readonly max: number;
}

export interface PostPolicy {
  /** Milliseconds since 1970, perhaps with a fraction. Expired from this instant on. */
  readonly expiration: number;
  readonly conditions: readonly PolicyCondition[];
}

/** How many arguments follow each operator. */
const operators = { eq: 2, 'starts-with': 2, 'content-length-range': 2 } as const;

/**
 * Reads a policy document as the form carries it. Names of fields and operators are
 * case-insensitive; `expiration` and `conditions` are not.
 * Throws S3Error InvalidPolicyDocument that says what is wrong with it.
 */
export const parsePostPolicy = rememberRecent(readPostPolicy, { texts: 256, chars: 4_096 });

function readPostPolicy(base64: string): PostPolicy {
  const root = parseDocument(base64);
  if (root === null || typeof root !== 'object' || !('members' in root)) {
    throw invalidPolicy('Policy must be a JSON object.');
  }
  const members = new Map<string, PolicyJson>();
  for (const [name, value] of root.members) {
    if (name !== 'expiration' && name !== 'conditions')
      throw invalidPolicy(`Unexpected: '${name}'`);
    // Readers of JSON differ in which of the two they would take.
    if (members.has(name)) throw invalidPolicy(`'${name}' is given more than once.`);
    members.set(name, value);
  }
  const expiration = members.get('expiration');
  const conditions = members.get('conditions');
  if (expiration === undefined) throw invalidPolicy('Policy missing expiration.');
  if (conditions === undefined) throw invalidPolicy('Policy missing conditions.');
  if (!Array.isArray(conditions))
    throw invalidPolicy("Invalid 'conditions' value: must be a List.");
  return { expiration: parseExpiration(expiration), conditions: conditions.map(parseCondition) };
}

/** The conditions that can be read of a policy, whatever is wrong with the rest of it. */
export function readableConditions(base64: string): PolicyCondition[] {
  try {
    const root = parseDocument(base64);
    if (root === null || typeof root !== 'object' || !('members' in root)) return [];
    const members = root.members.filter(([name]) => name === 'conditions');
    return members
      .flatMap(([, value]) => (Array.isArray(value) ? value : []))
      .flatMap(tryCondition);
  } catch {
    return [];
  }
}

function tryCondition(condition: PolicyJson): PolicyCondition[] {
  try {
    return [parseCondition(condition)];
  } catch {
    return [];
  }
}

function parseDocument(base64: string): PolicyJson {
  // Encoders that break lines are common, and the signature covers the breaks.
  const compact = base64.replace(/[ \t\r\n]/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) {
    throw invalidPolicy('invalid Base64 encoding.');
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(compact, 'base64'),
    );
    return parsePolicyJson(text);
  } catch (cause) {
    throw invalidPolicy('Invalid JSON.', cause);
  }
}

function parseExpiration(value: PolicyJson): number {
  const time = typeof value === 'string' ? parseIso8601(value) : undefined;
  if (time === undefined) throw invalidPolicy(`Invalid 'expiration' value: '${show(value)}'`);
  return time;
}

function parseCondition(condition: PolicyJson): PolicyCondition {
  if (Array.isArray(condition)) return parseListCondition(condition);
  if (condition === null || typeof condition !== 'object' || !('members' in condition)) {
    throw invalidPolicy('Invalid condition test: must be a List or Object.');
  }
  const [member, ...others] = condition.members;
  if (member === undefined || others.length > 0) {
    throw invalidPolicy(
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
    );
  }
  const [name, value] = member;
  if (typeof value !== 'string') {
    throw invalidPolicy('Invalid Simple-Condition: value must be a string.');
  }
  const text = showCondition(['eq', `$${name}`, value]);
  return { operator: 'eq', field: fieldKey(name), value, text };
}

function parseListCondition(condition: readonly PolicyJson[]): PolicyCondition {
  const [name, ...operands] = condition;
  if (typeof name !== 'string') {
    throw invalidPolicy('Invalid Condition: missing operation identifier.');
  }
  const operator = name.toLowerCase();
  if (operator !== 'eq' && operator !== 'starts-with' && operator !== 'content-length-range') {
    throw invalidPolicy(`Invalid Condition: unknown operation '${name}'.`);
  }
  if (operands.length !== operators[operator]) {
    throw invalidPolicy(`Invalid ${operator}: wrong number of arguments.`);
  }
  const text = showCondition(condition);
  const [first = '', second = ''] = operands;
  if (operator === 'content-length-range') {
    const min = parseBound(first);
    const max = parseBound(second);
    const range = min === undefined || max === undefined ? undefined : { min, max };
    return { operator, range, text };
  }
  if (typeof first !== 'string' || typeof second !== 'string') {
    throw invalidPolicy(`Invalid ${operator}: arguments must be strings.`);
  }
  const field = first.startsWith('$') ? fieldKey(first.slice(1)) : undefined;
  return { operator, field, value: second, text };
}

/** Undefined for a string that is no number, which S3 takes for a condition that fails. */
function parseBound(bound: PolicyJson): number | undefined {
  const isNumber = bound !== null && typeof bound === 'object' && 'number' in bound;
  if (!isNumber && typeof bound !== 'string') {
    throw invalidPolicy('Invalid content-length-range: arguments must be numbers.');
  }
  const digits = isNumber ? bound.number : bound;
  if (/^-\d+$/.test(digits)) {
    throw invalidPolicy('Invalid content-length-range: arguments must not be negative.');
  }
  if (/^\d+$/.test(digits)) return Number(digits);
  if (isNumber)
    throw invalidPolicy('Invalid content-length-range: arguments must be whole numbers.');
  return undefined;
}

function showCondition(parts: readonly PolicyJson[]): string {
  return `[${parts.map((part) => (typeof part === 'string' ? JSON.stringify(part) : show(part))).join(', ')}]`;
}

function show(value: PolicyJson): string {
  if (typeof value === 'string') return value;
  if (value !== null && typeof value === 'object' && 'number' in value) return value.number;
  return value !== null && typeof value === 'object' ? '…' : String(value);
}

function invalidPolicy(fault: string, cause?: unknown): S3Error {
  return new S3Error('InvalidPolicyDocument', { message: `Invalid Policy: ${fault}`, cause });
}
