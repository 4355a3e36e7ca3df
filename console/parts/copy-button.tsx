import { useRef, useState } from 'preact/hooks';
import { announce } from './toasts.tsx';

/** `text` is called where it may have changed since it was shown. */
export function CopyButton(props: {
  text: string | (() => string);
  what: string;
  /** Right beside what it copies: it need not say what. */
  isBeside?: boolean;
}) {
  const { text, what, isBeside = false } = props;
  const button = useRef<HTMLButtonElement>(null);
  const [news, setNews] = useState('');
  const label = `Copy the ${what.toLowerCase()}`;

  function tell(sentence: string): void {
    // What is behind a dialog is not read out.
    if (button.current?.closest('dialog')) setNews(sentence);
    else announce({ text: sentence });
  }

  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
      tell(`${what} copied.`);
    } catch {
      // Only pages of https and localhost have a clipboard.
      tell(`This page may not copy: select the ${what.toLowerCase()} and copy it.`);
    }
  };
  return (
    <span class="copy">
      <button ref={button} type="button" aria-label={label} onClick={copy}>
        {isBeside ? 'Copy' : label}
      </button>
      <span class="hint" role="status">
        {news}
      </span>
    </span>
  );
}
