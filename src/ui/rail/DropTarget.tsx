import { createContext, type ReactNode, useContext, useEffect } from 'react'
import { type FileRejection, useDropzone } from 'react-dropzone'
import { useActions } from '../use-app'
import styles from './DropTarget.module.css'
import { pickWithHandles } from './pick-files'

interface DropApi extends Pick<ReturnType<typeof useDropzone>, 'getInputProps'> {
  /** Asks for files, by the picker that gives handles where the browser has one. */
  readonly pick: () => void
}

const DropContext = createContext<DropApi | null>(null)

/** The window's drop target, as the drop zone of the rail uses it. */
export function useDrop(): DropApi {
  const drop = useContext(DropContext)
  if (!drop) throw new Error('The drop zone is mounted outside DropTarget.')
  return drop
}

/**
 * Makes the whole window take files and folders, dropped or pasted, and pasted addresses. What files are is decided by
 * their bytes, not by their names.
 */
export function DropTarget({ children }: { readonly children: ReactNode }) {
  const { openFiles, refuseFile } = useActions()
  const { getRootProps, getInputProps, open, isDragActive } = useDropzone({
    noClick: true,
    noKeyboard: true,
    onDropAccepted: (files) => void openFiles(files),
    onDropRejected: (rejections: readonly FileRejection[]) => {
      for (const { file, errors } of rejections) refuseFile(file.name, 'IO-03', `"${file.name}": ${errors[0].message}`)
    },
    onError: ({ message }) => refuseFile('what was dropped', 'IO-03', `what was dropped: cannot be read (${message}).`),
  })
  usePaste()
  const pick = () => {
    void pickWithHandles().then((files) => {
      if (files === null) open()
      else if (files.length > 0) void openFiles(files)
    })
  }
  return (
    <DropContext value={{ getInputProps, pick }}>
      <div {...getRootProps({ role: 'presentation', tabIndex: undefined })} className={styles.target}>
        {children}
        {isDragActive && (
          <div className={styles.overlay}>
            Drop files or a folder to open them here. They are read in this tab only.
          </div>
        )}
      </div>
    </DropContext>
  )
}

/** Pasted files are opened; so is a pasted address, unless it goes into a field. */
function usePaste(): void {
  const { openFiles, openAddress } = useActions()
  useEffect(() => {
    const onPaste = ({ clipboardData, target }: ClipboardEvent) => {
      const files = [...(clipboardData?.files ?? [])]
      if (files.length > 0) return void openFiles(files)
      const inField = target instanceof HTMLElement && target.closest('input, textarea, [contenteditable]') !== null
      const text = clipboardData?.getData('text/plain').trim() ?? ''
      if (!inField && /^(https?:\/\/|hf:)\S+$/.test(text)) void openAddress(text)
    }
    document.addEventListener('paste', onPaste)
    return () => document.removeEventListener('paste', onPaste)
  }, [openFiles, openAddress])
}
