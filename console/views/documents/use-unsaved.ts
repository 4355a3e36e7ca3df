import { useEffect } from 'preact/hooks';
import { guardLeaving } from '../../router.ts';

/** Nothing that was written is left behind unasked: by a link, a step back, signing out or closing the tab. */
export function useUnsaved(
  isUnsaved: boolean,
  key: string,
  onAsk: (proceed: () => void) => void,
): void {
  useEffect(() => {
    if (!isUnsaved) return;
    const onUnload = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', onUnload);
    const stop = guardLeaving((to, proceed) => {
      const isHere = to?.view === 'documents' && to.query.get('key') === key;
      if (!isHere) onAsk(proceed);
      return isHere;
    });
    return () => {
      removeEventListener('beforeunload', onUnload);
      stop();
    };
  }, [isUnsaved, key]);
}
