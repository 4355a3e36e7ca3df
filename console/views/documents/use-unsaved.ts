import { useEffect } from 'preact/hooks';
import { askToStay } from '../../parts/ask-to-stay.ts';
import { guardLeaving } from '../../router.ts';

/** Nothing that was written is left behind unasked: by a link, a step back, signing out or closing the tab. */
export function useUnsaved(
  isUnsaved: boolean,
  key: string,
  onAsk: (proceed: () => void) => void,
): void {
  useEffect(() => {
    if (!isUnsaved) return;
    const stopAsking = askToStay();
    const stop = guardLeaving((to, proceed) => {
      const isHere = to?.view === 'documents' && to.query.get('key') === key;
      if (!isHere) onAsk(proceed);
      return isHere;
    });
    return () => {
      stopAsking();
      stop();
    };
  }, [isUnsaved, key]);
}
