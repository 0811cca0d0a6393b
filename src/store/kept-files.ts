/** Files of earlier visits: handles that the browser keeps, where it has them (Chromium), so that a reload can offer them. */
import { del, get, set } from 'idb-keyval'

/** A file as it is offered: what it is called and how long it was. */
export interface KeptFile {
  readonly name: string
  readonly byteLength: number
}

/** Where handles of files are kept between visits. All of it may reject where the browser keeps nothing. */
export interface KeptFiles {
  list(): Promise<readonly KeptFile[]>
  /** Keeps these files in the place of those before; files that came without a handle are left out. */
  keep(files: readonly File[]): Promise<void>
  /** Asks for permission, which needs a click just before, and opens all of them. */
  open(): Promise<readonly File[]>
}

/** A file with the handle it was picked or dropped by. */
export interface FileWithHandle extends File {
  readonly handle?: FileSystemFileHandle
}

interface Stored extends KeptFile {
  readonly handle: PermittedHandle
}

/** The part of the File System Access API that type libraries do not have yet. */
interface PermittedHandle extends FileSystemFileHandle {
  queryPermission?(options: { readonly mode: 'read' }): Promise<PermissionState>
  requestPermission?(options: { readonly mode: 'read' }): Promise<PermissionState>
}

const KEY = 'mxscope-files'

async function permit(handle: PermittedHandle): Promise<boolean> {
  const mode = 'read'
  if ((await handle.queryPermission?.({ mode })) === 'granted') return true
  return (await handle.requestPermission?.({ mode })) !== 'denied'
}

/** Keeps handles in the browser's IndexedDB. */
export function createKeptFiles(): KeptFiles {
  const stored = async () => (await get<readonly Stored[]>(KEY)) ?? []
  return {
    list: async () => (await stored()).map(({ name, byteLength }) => ({ name, byteLength })),
    keep: async (files) => {
      const kept = files.flatMap((file: FileWithHandle): Stored[] =>
        file.handle ? [{ name: file.name, byteLength: file.size, handle: file.handle }] : [],
      )
      if (kept.length > 0) await set(KEY, kept)
      else await del(KEY)
    },
    open: async () => {
      const files: File[] = []
      for (const { handle } of await stored()) {
        if (!(await permit(handle))) continue
        files.push(Object.defineProperty(await handle.getFile(), 'handle', { value: handle }))
      }
      return files
    },
  }
}
