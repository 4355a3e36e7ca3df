import { announce } from './toasts.tsx';

/** `text` is called where it may have changed since it was shown. */
export function CopyButton({ text, what }: { text: string | (() => string); what: string }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
      announce({ text: `${what} copied.` });
    } catch {
      // Only pages of https and localhost have a clipboard.
      announce({ text: `This page may not copy: select the ${what.toLowerCase()} and copy it.` });
    }
  };
  return (
    <button type="button" aria-label={`Copy the ${what.toLowerCase()}`} onClick={copy}>
      Copy
    </button>
  );
}
