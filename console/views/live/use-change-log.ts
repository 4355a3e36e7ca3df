import { useEffect, useState } from 'preact/hooks';
import { readChanges } from '../../api/changes.ts';
import { readRevision } from '../../api/revision.ts';
import { onChange } from '../../live.ts';
import { type Beginning, type ChangeLog, createChangeLog } from './change-log.ts';

/** Read while the view is shown, and no longer: the server's log remembers what was in between. */
export function useChangeLog(prefix: string, since: string): ChangeLog | undefined {
  const [log, setLog] = useState<ChangeLog>();
  useEffect(() => {
    const source = {
      head: readRevision,
      page: readChanges,
      listen: onChange,
      nextFrame: (paint: () => void) => requestAnimationFrame(paint),
    };
    const made = createChangeLog(source, { prefix, beginning: beginningOf(since) });
    setLog(made);
    return () => made.end();
  }, [prefix, since]);
  return log;
}

function beginningOf(since: string): Beginning {
  if (since === 'oldest') return 'oldest';
  return /^\d{1,16}$/.test(since) ? Number(since) : 'latest';
}
