import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type ChosenFile, droppedFiles } from './dropped-files.ts';

/** Takes files that are dropped on the element; whether some are over it. */
export function useDrop(
  target: RefObject<HTMLElement | null>,
  take: (files: readonly ChosenFile[]) => void,
  onError: (error: unknown) => void,
): boolean {
  const [isOver, setOver] = useState(false);

  useEffect(() => {
    const isInside = ({ target: at }: DragEvent): boolean =>
      at instanceof Node && target.current?.contains(at) === true;

    const onDragOver = (event: DragEvent): void => {
      if (!event.dataTransfer || !hasFiles(event.dataTransfer)) return;
      // Beside the element, too: a browser would leave the console to show the file.
      event.preventDefault();
      event.dataTransfer.dropEffect = isInside(event) ? 'copy' : 'none';
      setOver(isInside(event));
    };
    const onDragLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent): void => {
      setOver(false);
      if (!event.dataTransfer || !hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      if (isInside(event)) droppedFiles(event.dataTransfer).then(take, onError);
    };

    addEventListener('dragover', onDragOver);
    addEventListener('dragleave', onDragLeave);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onDragOver);
      removeEventListener('dragleave', onDragLeave);
      removeEventListener('drop', onDrop);
    };
  }, [target, take, onError]);

  return isOver;
}

function hasFiles({ types }: DataTransfer): boolean {
  return types.includes('Files');
}
