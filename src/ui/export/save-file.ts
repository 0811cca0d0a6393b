/** The save dialog of browsers that have one (Chromium). */
interface SavePicker {
  showSaveFilePicker(options: { readonly suggestedName: string }): Promise<FileSystemFileHandle>
}

const hasPicker = (host: object): host is SavePicker => 'showSaveFilePicker' in host

/** `cancelled`: the user closed the save dialog, and nothing was written. */
export type Saved = 'saved' | 'cancelled'

/**
 * Saves what `make` gives under `name`: through the save dialog where the browser has one, else as a download. The
 * dialog comes first, because it needs the click; a file that cannot be made is not left behind half-written.
 */
export async function saveFile(name: string, make: () => Promise<Blob> | Blob): Promise<Saved> {
  if (!hasPicker(window)) {
    download(name, await make())
    return 'saved'
  }
  let handle: FileSystemFileHandle
  try {
    handle = await window.showSaveFilePicker({ suggestedName: name })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return 'cancelled'
    throw error
  }
  const blob = await make()
  const file = await handle.createWritable()
  try {
    await file.write(blob)
  } catch (error) {
    await file.abort()
    throw error
  }
  // What is written lies beside the file until it is closed, so that a reader never sees half of it.
  await file.close()
  return 'saved'
}

/** How long the browser may take to begin reading a download, in ms. */
const READ_AFTER = 60_000

function download(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), READ_AFTER)
}

export const textBlob = (text: string, type: string): Blob => new Blob([text], { type: `${type};charset=utf-8` })

/** Bytes of `text` in a file. */
export const utf8Length = (text: string): number => new Blob([text]).size
