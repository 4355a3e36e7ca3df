import type { JsonNode } from './lossless.ts';

/** A number as 0.DIGITS × 10^EXPONENT, without zeros at either end of DIGITS; zero has no digits. */
interface Decimal {
  negative: boolean;
  digits: string;
  /** Undefined: too long to reckon with. */
  exponent: bigint | undefined;
}

/** Numbers already taken apart, by their text. */
export type KnownDecimals = Map<string, Decimal>;

const MAX_EXPONENT_CHARS = 1_000;

/**
 * Equality as RFC 6902 section 4.6 defines it: numbers by their exact decimal value, strings by what
 * they decode to, objects whatever the order of their members. Works at any depth. A number whose
 * exponent has more than 1,000 digits equals only a number with the same text.
 *
 * Who compares the same nodes many times passes one `known` to all the calls: else a number of a
 * megabyte would be read again for each short `1e1000000` that it is compared with.
 */
export function equalJson(
  left: JsonNode,
  right: JsonNode,
  known: KnownDecimals = new Map(),
): boolean {
  const pending: [JsonNode, JsonNode][] = [];

  /** Compares scalars now and leaves the rest for later, so that no depth overflows the stack. */
  function mayEqual(a: JsonNode, b: JsonNode | undefined): boolean {
    if (b === undefined) return false;
    if (typeof a === 'string' || typeof b === 'string') {
      return typeof a === 'string' && typeof b === 'string' && equalScalars(a, b, known);
    }
    pending.push([a, b]);
    return true;
  }

  if (!mayEqual(left, right)) return false;
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [a, b] = pair;
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length !== b.length) return false;
      if (!a.every((element, index) => mayEqual(element, b[index]))) return false;
    } else if (a instanceof Map && b instanceof Map) {
      if (a.size !== b.size) return false;
      for (const [name, member] of a) if (!mayEqual(member, b.get(name))) return false;
    } else {
      return false;
    }
  }
  return true;
}

function equalScalars(a: string, b: string, known: KnownDecimals): boolean {
  if (a === b) return true;
  if (a.startsWith('"') && b.startsWith('"')) return equalStrings(a, b);
  return isNumber(a) && isNumber(b) && equalNumbers(decimal(a, known), decimal(b, known));
}

function equalStrings(a: string, b: string): boolean {
  if (!a.includes('\\') && !b.includes('\\')) return false;
  return JSON.parse(a) === JSON.parse(b);
}

function isNumber(scalar: string): boolean {
  return /^[-0-9]/.test(scalar);
}

function equalNumbers(a: Decimal, b: Decimal): boolean {
  if (a.digits !== b.digits) return false;
  // The sign and the exponent of zero say nothing.
  if (a.digits === '') return true;
  return a.negative === b.negative && a.exponent !== undefined && a.exponent === b.exponent;
}

// Not through a double, which takes 9007199254740993 for 9007199254740992 and 1e400 for 1e500.
function decimal(text: string, known: KnownDecimals): Decimal {
  const already = known.get(text);
  if (already !== undefined) return already;
  const negative = text.startsWith('-');
  const [mantissa = '', power = '0'] = text.slice(negative ? 1 : 0).split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  let first = 0;
  while (all[first] === '0') first += 1;
  let end = all.length;
  while (end > first && all[end - 1] === '0') end -= 1;
  const exponent =
    power.length > MAX_EXPONENT_CHARS ? undefined : BigInt(power) + BigInt(whole.length - first);
  const result = { negative, digits: all.slice(first, end), exponent };
  known.set(text, result);
  return result;
}
