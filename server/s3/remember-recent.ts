/**
 * The same pure function, with its results for the last different texts kept: what clients send again and
 * again is read once. Longer texts are not kept, nor is what throws.
 */
export function rememberRecent<T extends object>(
  read: (text: string) => T,
  limits: { readonly texts: number; readonly chars: number },
): (text: string) => T {
  const recent = new Map<string, T>();
  return (text) => {
    const known = recent.get(text);
    if (known) return known;
    const result = read(text);
    if (text.length > limits.chars) return result;
    const oldest = recent.keys().next();
    if (recent.size >= limits.texts && !oldest.done) recent.delete(oldest.value);
    recent.set(text, result);
    return result;
  };
}
