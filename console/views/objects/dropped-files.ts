/** What was dropped, with what is in folders; `path` has the names of those before its own. */
export interface ChosenFile {
  readonly path: string;
  readonly file: File;
}

/** To be called as the drop is told of: later the browser shows nothing of it. */
export async function droppedFiles({ items }: DataTransfer): Promise<ChosenFile[]> {
  const dropped = Array.from(items)
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found: ChosenFile[] = [];
  for (const { entry, file } of dropped) {
    if (entry && isFolder(entry)) await readFolder(entry, '', found);
    else if (file) found.push({ path: file.name, file });
  }
  return found;
}

async function readFolder(
  folder: FileSystemDirectoryEntry,
  within: string,
  found: ChosenFile[],
): Promise<void> {
  const reader = folder.createReader();
  const path = `${within}${folder.name}/`;
  for (;;) {
    // Browsers give a hundred at a time, and none at the end.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (isFolder(entry)) await readFolder(entry, path, found);
      else if (isFile(entry)) {
        const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
        found.push({ path: path + file.name, file });
      }
    }
  }
}

// Not every browser has classes of theirs to compare with.
function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}
