import { createContext, type ReactNode, useContext } from 'react'
import { type FileRejection, useDropzone } from 'react-dropzone'
import { useActions } from '../use-app'
import styles from './DropTarget.module.css'

type DropApi = Pick<ReturnType<typeof useDropzone>, 'getInputProps' | 'open'>

const DropContext = createContext<DropApi | null>(null)

/** The window's drop target, as the drop zone of the rail uses it. */
export function useDrop(): DropApi {
  const drop = useContext(DropContext)
  if (!drop) throw new Error('The drop zone is mounted outside DropTarget.')
  return drop
}

/** Makes the whole window take files. What they are is decided by their bytes, not by their names. */
export function DropTarget({ children }: { readonly children: ReactNode }) {
  const { openFiles, refuseFile } = useActions()
  const { getRootProps, getInputProps, open, isDragActive } = useDropzone({
    noClick: true,
    noKeyboard: true,
    onDropAccepted: (files) => void openFiles(files),
    onDropRejected: (rejections: readonly FileRejection[]) => {
      for (const { file, errors } of rejections) refuseFile(file.name, 'IO-03', `"${file.name}": ${errors[0].message}`)
    },
  })
  return (
    <DropContext value={{ getInputProps, open }}>
      <div {...getRootProps({ role: 'presentation', tabIndex: undefined })} className={styles.target}>
        {children}
        {isDragActive && (
          <div className={styles.overlay}>Drop safetensors to open them here. They are read in this tab only.</div>
        )}
      </div>
    </DropContext>
  )
}
