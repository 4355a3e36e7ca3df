/** What the person decides while an import goes on. */

export type Phase = 'running' | 'pausing' | 'paused' | 'stopping';

export interface ImportControl {
  readonly phase: Phase;
  pause(): void;
  /** Goes on after a pause, or after a failure that was asked about. */
  resume(): void;
  /** What is under way is finished; nothing more begins. */
  stop(): void;
  /** Resolves when the next batch may begin, or with false if none may. */
  mayGoOn(): Promise<boolean>;
  /** Whether what failed may be tried again. */
  mayRetry(): boolean;
  /** The next decision, or the end of that time. */
  decision(withinMs?: number): Promise<void>;
}

export function createImportControl(onPhase: (phase: Phase) => void): ImportControl {
  let phase: Phase = 'running';
  let wake = (): void => {};
  const set = (next: Phase): void => {
    phase = next;
    onPhase(phase);
    wake();
  };
  const decision = (withinMs?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    get phase() {
      return phase;
    },
    pause() {
      if (phase === 'running') set('pausing');
    },
    resume() {
      if (phase !== 'stopping') set('running');
    },
    stop: () => set('stopping'),
    async mayGoOn() {
      if (phase === 'pausing') set('paused');
      while (phase === 'paused') await decision();
      return phase !== 'stopping';
    },
    mayRetry: () => phase !== 'stopping',
    decision,
  };
}
