/** Numbers from 0 to 1 (without 1) that follow from a seed, so that a run can be repeated. */
export type Random = () => number;

/** mulberry32: small, and good enough to choose what a test does next. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `min` to `max`, both included. */
export function intBetween(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}

export function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[intBetween(random, 0, items.length - 1)] ?? items[0];
}

/** A seed for a run that is not told one. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
