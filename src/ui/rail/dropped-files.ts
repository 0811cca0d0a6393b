/** Files out of what was dropped: those of folders too, each with its handle where the browser gives one. */

/** The part of the File System Access API that type libraries do not have yet. */
interface DroppedItem extends DataTransferItem {
  getAsFileSystemHandle?(): Promise<DroppedHandle | null>
}

type DroppedHandle = FileSystemFileHandle | FolderHandle

interface FolderHandle {
  readonly kind: 'directory'
  values(): AsyncIterable<DroppedHandle>
}

/** What file managers leave in folders. */
const LEFTOVERS: readonly string[] = ['.DS_Store', 'Thumbs.db']

const withHandle = (file: File, handle: FileSystemFileHandle) =>
  Object.defineProperty(file, 'handle', { value: handle, configurable: true })

async function filesOfHandle(handle: DroppedHandle): Promise<readonly File[]> {
  if (handle.kind === 'file') return [withHandle(await handle.getFile(), handle)]
  const files: File[] = []
  for await (const child of handle.values()) files.push(...(await filesOfHandle(child)))
  return files
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile

async function filesOfEntry(entry: FileSystemEntry): Promise<readonly File[]> {
  if (isFile(entry)) return [await new Promise<File>((resolve, reject) => entry.file(resolve, reject))]
  if (!isFolder(entry)) return []
  const reader = entry.createReader()
  const files: File[] = []
  // A folder is told in portions; an empty one is the end.
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (portion.length === 0) return files
    for (const child of portion) files.push(...(await filesOfEntry(child)))
  }
}

/** All that the item gives is asked for before anything is waited for: the drop's data is gone after its event. */
function filesOfItem(item: DroppedItem): Promise<readonly File[]> {
  const file = item.getAsFile()
  const entry = item.webkitGetAsEntry?.() ?? null
  const handle = isSecureContext ? item.getAsFileSystemHandle?.().catch(() => null) : undefined
  return (async () => {
    const given = (await handle) ?? null
    if (entry?.isDirectory) return given?.kind === 'directory' ? filesOfHandle(given) : filesOfEntry(entry)
    if (file) return [given?.kind === 'file' ? withHandle(file, given) : file]
    return given ? filesOfHandle(given) : []
  })()
}

/** Every file of a drop, in its order. Must be called while the drop's event is handled. Rejects where one cannot be read. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<readonly File[]> {
  const given = [...items].filter(({ kind }) => kind === 'file').map(filesOfItem)
  const found = given.length > 0 ? (await Promise.all(given)).flat() : [...files]
  return found.filter(({ name }) => !LEFTOVERS.includes(name))
}
