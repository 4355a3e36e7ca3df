import { signal } from '@preact/signals';
import { session } from '../session.ts';

/** Short news at the bottom, read out politely: what was done, perhaps with a way back. */

export interface Toast {
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

interface Shown extends Toast {
  readonly id: number;
}

const SECONDS = 6;
/** Long enough to think, to reach it with the keyboard, and to hear it. */
const SECONDS_WITH_ACTION = 20;
const MOST = 4;

const shown = signal<readonly Shown[]>([]);
let last = 0;

/** They name what one user may read, and lead back to it: the next one may be somebody else. */
session.subscribe((signedIn) => {
  if (!signedIn) shown.value = [];
});

export function announce(toast: Toast): void {
  if (!session.value) return;
  last += 1;
  const id = last;
  shown.value = [...shown.value, { ...toast, id }].slice(-MOST);
  setTimeout(() => dismiss(id), (toast.action ? SECONDS_WITH_ACTION : SECONDS) * 1_000);
}

function dismiss(id: number): void {
  shown.value = shown.value.filter((toast) => toast.id !== id);
}

export function Toasts() {
  return (
    <section class="toasts" aria-live="polite" aria-label="News">
      {shown.value.map(({ id, text, action }) => (
        <div class="toast" key={id}>
          <span>{text}</span>
          {action && (
            <button
              type="button"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </section>
  );
}
