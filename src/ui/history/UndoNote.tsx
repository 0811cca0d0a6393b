import { CloseButton } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { useActions, useApp } from '../use-app'
import styles from './UndoNote.module.css'

/** How long it stays, in ms, while neither pointer nor focus is on it. */
const SHOWN_MS = 8000

/** What the last click took away, and the way back, which Ctrl or Cmd with Z is as well. */
export function UndoNote() {
  const { text, count } = useApp(({ undo }) => ({ text: undo.text, count: undo.count }))
  const { undo } = useActions()
  useHotkeys([['mod+Z', () => void undo()]])
  return (
    <div className={styles.region} role="status" data-test="undo">
      {text !== null && <Note key={count} text={text} />}
    </div>
  )
}

function Note({ text }: { readonly text: string }) {
  const offered = useApp((state) => state.undo.restore !== null)
  const { undo, dismissUndo } = useActions()
  const [held, setHeld] = useState(false)
  useEffect(() => {
    if (held) return
    const timer = setTimeout(dismissUndo, SHOWN_MS)
    return () => clearTimeout(timer)
  }, [held, dismissUndo])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointing at it only keeps it there.
    <div
      className={styles.note}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span className={styles.text}>{text}</span>
      {offered && (
        <button type="button" className={styles.undo} data-test="undo-button" onClick={() => void undo()}>
          Undo
        </button>
      )}
      <CloseButton size="sm" aria-label="Dismiss" data-test="undo-dismiss" onClick={dismissUndo} />
    </div>
  )
}
