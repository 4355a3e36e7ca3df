/** Keys that were met, by hashes of 53 bits: eight million take 128 MiB, where strings would take a gibibyte. */
export interface SeenKeys {
  /** Whether the key was met before; undefined where there are too many to know. */
  meet(key: string): boolean | undefined;
}

const FIRST_SLOTS = 1_024;

export function createSeenKeys(mostKeys = 8_000_000): SeenKeys {
  /** Open addressing; 0 is a free slot, and no more than half of them are taken. */
  let slots = new Float64Array(FIRST_SLOTS);
  let count = 0;

  function place(hash: number): number {
    let at = hash % slots.length;
    while (slots[at] !== 0 && slots[at] !== hash) at = (at + 1) % slots.length;
    return at;
  }

  function grow(): void {
    const before = slots;
    slots = new Float64Array(2 * before.length);
    for (const hash of before) if (hash !== 0) slots[place(hash)] = hash;
  }

  return {
    meet(key) {
      const hash = hashOf(key);
      const at = place(hash);
      if (slots[at] === hash) return true;
      if (count >= mostKeys) return undefined;
      slots[at] = hash;
      count += 1;
      if (2 * count > slots.length) grow();
      return false;
    },
  };
}

/** Two rounds of multiplying and mixing over the code units, joined to 53 bits; never 0. */
function hashOf(key: string): number {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < key.length; at += 1) {
    const code = key.charCodeAt(at);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high =
    Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low =
    Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (high & 0x1f_ffff) * 2 ** 32 + (low >>> 0) || 1;
}
