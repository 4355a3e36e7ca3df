import { effect, type Signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ErrorNotice } from '../../parts/notice.tsx';
import type { Editor, Mark } from './code-mirror.ts';

/** A text to edit as JSON: what is typed goes into the draft, and what changes the draft is shown. */
export function JsonEditor(props: {
  label: string;
  draft: Signal<string>;
  mark: Mark | undefined;
}) {
  const { label, draft, mark } = props;
  const host = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<Editor>();
  const [error, setError] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let end = (): void => {};
    let isLeft = false;
    const mount = async (): Promise<void> => {
      try {
        const { mountEditor } = await import('./code-mirror.ts');
        if (isLeft) return;
        const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
        const mounted = mountEditor({
          root,
          label,
          text: draft.value,
          onText: (text) => {
            draft.value = text;
          },
        });
        // The page knows only the host as what has the focus: who gives it back, as dialogs do, means the text.
        element.focus = mounted.focus;
        const stop = effect(() => mounted.setText(draft.value));
        end = () => {
          stop();
          mounted.destroy();
        };
        setEditor(mounted);
      } catch (reason) {
        if (!isLeft) setError(reason ?? new Error('The editor could not be loaded.'));
      }
    };
    void mount();
    return () => {
      isLeft = true;
      end();
    };
  }, [draft, label, attempt]);

  useEffect(() => editor?.mark(mark), [editor, mark]);

  const retry = (): void => {
    setError(undefined);
    setAttempt(attempt + 1);
  };
  return (
    <>
      {error !== undefined && (
        <ErrorNotice error={new Error('The editor could not be loaded.')} onRetry={retry} />
      )}
      {!editor && error === undefined && <p class="hint">The editor is loading …</p>}
      <div class="json-editor" ref={host} />
    </>
  );
}
