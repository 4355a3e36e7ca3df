import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** What a control needs to be known with its label, its hint and what is wrong with it. */
export interface FieldAttributes {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
}

export function Field(props: {
  label: string;
  hint?: ComponentChildren;
  problem?: string | undefined;
  control: (attributes: FieldAttributes) => ComponentChildren;
}) {
  const { label, hint, problem, control } = props;
  const id = useId();
  const described = `${id}-about`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {control({ id, 'aria-describedby': described, 'aria-invalid': problem !== undefined })}
      <div id={described} aria-live="polite">
        {problem !== undefined && <p class="problem">{problem}</p>}
        {hint !== undefined && <p class="hint">{hint}</p>}
      </div>
    </div>
  );
}

/** The first field with something wrong in it, once that is in the page. */
export function focusProblem(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => {
    const field = form?.querySelector('[aria-invalid="true"]');
    if (field instanceof HTMLElement) field.focus();
  });
}
