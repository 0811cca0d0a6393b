/** The file picker that gives handles, which can be kept for the next visit. */
import { isAbort } from '../../core/errors'

/** The part of the File System Access API that is used here; type libraries do not have it yet. */
interface PickerWindow {
  showOpenFilePicker?(options: { readonly multiple: boolean }): Promise<readonly FileSystemFileHandle[]>
}

/** Asks for files; each comes with its handle. Empty when the user cancels, null where the browser has no such picker. */
export async function pickWithHandles(): Promise<readonly File[] | null> {
  const { showOpenFilePicker } = window as PickerWindow
  if (!showOpenFilePicker) return null
  try {
    const handles = await showOpenFilePicker.call(window, { multiple: true })
    return await Promise.all(
      handles.map(async (handle) => Object.defineProperty(await handle.getFile(), 'handle', { value: handle })),
    )
  } catch (error) {
    // The usual picker is left where this one is refused, in a frame for example.
    return isAbort(error) ? [] : null
  }
}
