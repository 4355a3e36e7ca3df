/** What `derive` makes of an object, once for each: what is made of a kept entry is kept with it. */
export function onceFor<K extends object, T extends object>(
  derive: (source: K) => T,
): (source: K) => T {
  const derived = new WeakMap<K, T>();
  return (source) => {
    const known = derived.get(source);
    if (known) return known;
    const fresh = derive(source);
    derived.set(source, fresh);
    return fresh;
  };
}
