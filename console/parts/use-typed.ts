import { useEffect, useRef, useState } from 'preact/hooks';

/** Between two letters, mostly. */
const REST_MS = 200;

/**
 * What is typed into a search: told a moment after the last letter, and replaced where `value` becomes another by
 * other means, such as a link or a step back.
 */
export function useTyped(
  value: string,
  tell: (typed: string) => void,
): [typed: string, setTyped: (typed: string) => void] {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  const latest = useRef(tell);
  latest.current = tell;

  useEffect(() => {
    if (value !== told.current) setTyped(value);
    told.current = value;
  }, [value]);

  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed === told.current) return;
      told.current = typed;
      latest.current(typed);
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [typed]);

  return [typed, setTyped];
}
