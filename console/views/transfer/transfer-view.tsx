import { useEffect } from 'preact/hooks';
import { ExportPanel } from './export-panel.tsx';
import { ImportPanel } from './import-panel.tsx';
import './leaving.ts';
import './transfer.css';

export function TransferView() {
  useEffect(() => {
    // A file that is dropped beside its place would be opened instead of this page.
    addEventListener('dragover', prevent);
    addEventListener('drop', prevent);
    return () => {
      removeEventListener('dragover', prevent);
      removeEventListener('drop', prevent);
    };
  }, []);
  return (
    <div class="transfer">
      <ExportPanel />
      <ImportPanel />
    </div>
  );
}

function prevent(event: DragEvent): void {
  event.preventDefault();
}
