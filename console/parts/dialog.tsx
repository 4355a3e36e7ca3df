import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

/** A question or a form before everything else. Escape closes it; the focus goes back where it was, or to `opener`. */
export function Dialog(props: {
  title: string;
  /** For one that follows another: where the focus was is not where it began. */
  opener?: RefObject<HTMLElement | null>;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const { title, opener, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const isGone = useRef(false);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    // A dialog gives the focus back when it is closed, not when it is taken out of the page.
    return () => {
      isGone.current = true;
      element?.close();
      const back = opener?.current ?? before;
      if (back instanceof HTMLElement) back.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={() => isGone.current || onClose()}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** Asks before what cannot be taken back. */
export function Confirm(props: {
  title: string;
  text: ComponentChildren;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <p class="breaks">{props.text}</p>
      <div class="actions">
        <button type="button" onClick={props.onClose}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={props.onConfirm}>
          {props.action}
        </button>
      </div>
    </Dialog>
  );
}
