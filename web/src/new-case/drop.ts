/** What the walk needs of the browser's FileSystemEntry; tests give it plain objects. */
type Entry = {
  isFile: boolean;
  isDirectory: boolean;
  name: string;
  file?: (found: (file: File) => void, failed: (error: unknown) => void) => void;
  createReader?: () => {
    readEntries: (found: (entries: Entry[]) => void, failed: (error: unknown) => void) => void;
  };
};

/** Files that operating systems leave in folders and that are never an image. */
const LEFT_BY_SYSTEMS = /^(\.|thumbs\.db$|desktop\.ini$|__macosx$)/i;

/** The entries of a drop; must be taken while the event lasts, the browser empties it afterwards. */
export function entriesOf(items: DataTransferItemList): Entry[] {
  const files = [...items].filter((item) => item.kind === "file");
  return files.flatMap(
    (item) => (item.webkitGetAsEntry() as unknown as Entry | null) ?? loose(item.getAsFile()),
  );
}

/** A file that the browser has no entry for, such as one dragged out of another program. */
function loose(file: File | null): Entry[] {
  if (!file) return [];
  return [{ isFile: true, isDirectory: false, name: file.name, file: (found) => found(file) }];
}

/**
 * Every file below dropped entries, folders walked to the end.
 *
 * @throws {DOMException} The browser may not read an entry.
 */
export async function filesBelow(entries: readonly Entry[]): Promise<File[]> {
  const wanted = entries.filter((entry) => !LEFT_BY_SYSTEMS.test(entry.name));
  const found = await Promise.all(wanted.map(filesOf));
  return found.flat();
}

async function filesOf(entry: Entry): Promise<File[]> {
  if (entry.isDirectory) return filesBelow(await childrenOf(entry));
  return [await new Promise<File>((found, failed) => entry.file?.(found, failed))];
}

/** A reader gives a folder in batches (Chromium: 100) and says with an empty one that there is no more. */
async function childrenOf(folder: Entry): Promise<Entry[]> {
  const reader = folder.createReader?.();
  const children: Entry[] = [];
  for (;;) {
    const batch = await new Promise<Entry[]>((found, failed) => reader?.readEntries(found, failed));
    if (batch.length === 0) return children;
    children.push(...batch);
  }
}

/** Whether files that were chosen earlier are still there as they were: they may be on a disc that was taken out. */
export async function areReadable(files: readonly File[]): Promise<boolean> {
  const begun = await Promise.allSettled(files.map((file) => file.slice(0, 1).arrayBuffer()));
  // Of a file that has gone Chromium gives nothing, as of an empty one, without an error.
  return begun.every((first) => first.status === "fulfilled" && first.value.byteLength > 0);
}

/** Files of a picker, without what operating systems leave in folders. */
export function filesPicked(list: FileList | null): File[] {
  return [...(list ?? [])].filter((file) => !LEFT_BY_SYSTEMS.test(file.name));
}
