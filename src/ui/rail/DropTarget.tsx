import { createContext, type ReactNode, type RefObject, useContext, useEffect, useRef, useState } from 'react'
import { useActions } from '../use-app'
import styles from './DropTarget.module.css'
import { droppedFiles } from './dropped-files'
import { pickWithHandles } from './pick-files'

interface DropApi {
  /** The input that opens the usual picker; the drop zone has it. */
  readonly input: RefObject<HTMLInputElement | null>
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
  const { openFiles } = useActions()
  const input = useRef<HTMLInputElement>(null)
  const isOver = useFileDrop()
  usePaste()
  const pick = () => {
    void pickWithHandles().then((files) => {
      if (files === null) input.current?.click()
      else if (files.length > 0) void openFiles(files)
    })
  }
  return (
    <DropContext value={{ input, pick }}>
      {children}
      {isOver && (
        <div className={styles.overlay}>Drop files or a folder to open them here. They are read in this tab only.</div>
      )}
    </DropContext>
  )
}

/** Opens what is dropped anywhere; true while files are dragged over the window. */
function useFileDrop(): boolean {
  const { openFiles, refuseFile } = useActions()
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      // Else the browser would show the file in the place of the page.
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
      setOver(true)
    }
    const leave = ({ relatedTarget }: DragEvent) => relatedTarget === null && setOver(false)
    const drop = (event: DragEvent) => {
      setOver(false)
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      droppedFiles(event.dataTransfer).then(
        (files) => void (files.length > 0 && openFiles(files)),
        ({ message }) => refuseFile('what was dropped', 'IO-03', `what was dropped: cannot be read (${message}).`),
      )
    }
    const ends = new AbortController()
    const { signal } = ends
    addEventListener('dragenter', over, { signal })
    addEventListener('dragover', over, { signal })
    addEventListener('dragleave', leave, { signal })
    addEventListener('drop', drop, { signal })
    return () => ends.abort()
  }, [openFiles, refuseFile])
  return isOver
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
