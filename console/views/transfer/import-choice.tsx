import { useState } from 'preact/hooks';
import { ErrorNotice } from '../../parts/notice.tsx';
import { session } from '../../session.ts';
import { checkFile } from './check-file.ts';

export function ImportChoice({ error }: { error: unknown }) {
  const [isOver, setOver] = useState(false);

  function take(file: File | null | undefined): void {
    setOver(false);
    if (file) void checkFile(file);
  }

  return (
    <>
      <p class="hint">
        Stores the documents of an export, or of a file like it: a line such as{' '}
        <code>{'{"key":"players/ada","value":{"level":4}}'}</code> for each. The file is checked
        first, and nothing is stored by that.
        {session.value?.isAdmin === false && ' You can import what your grants let you write.'}
      </p>
      {/* A label, so that no handler is where only a mouse gets to. */}
      <label
        class={`drop ${isOver ? 'over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          take(event.dataTransfer?.files[0]);
        }}
      >
        Choose a file, or drop it here
        <input
          type="file"
          accept=".ndjson,.jsonl,application/x-ndjson"
          onChange={({ currentTarget }) => take(currentTarget.files?.[0])}
        />
      </label>
      <ErrorNotice error={error} />
    </>
  );
}
