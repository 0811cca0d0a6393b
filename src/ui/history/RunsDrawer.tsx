import { CloseButton } from '@mantine/core'
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useActions, useApp } from '../use-app'
import styles from './history.module.css'
import { RunComparison } from './RunComparison'
import { RunList } from './RunList'

/** Two runs fit beside each other. */
const COMPARED = 2
const PHONE = '(max-width: 767px)'

/** The runs beside the page, which stays at hand. */
export function RunsDrawer({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const runs = useApp((state) => state.history.runs)
  const { readRuns, openRun } = useActions()
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [comparing, setComparing] = useState(false)
  useEffect(() => void readRuns(), [readRuns])
  // Before the list takes the focus.
  useLayoutEffect(() => dialog.current?.show(), [])
  const pair = chosen.flatMap((id) => runs?.find((run) => run.id === id) ?? [])
  // The older one is A, whichever was chosen first.
  const [a, b] = [...pair].sort((one, other) => one.time - other.time)
  const shownPair = comparing && a && b
  const choose = (id: string) =>
    setChosen(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id].slice(-COMPARED))
  const open = (id: string) => {
    void openRun(id)
    // On a phone it lies over what was opened.
    if (matchMedia(PHONE).matches) onClose()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // The keys of the page are not meant here, but the undo of a deletion is.
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation()
    if (event.key !== 'Escape' || event.defaultPrevented) return
    if (shownPair) setComparing(false)
    else onClose()
  }
  return (
    <dialog
      ref={dialog}
      className={styles.drawer}
      data-test="runs-drawer"
      aria-labelledby="runs-title"
      onKeyDown={onKeyDown}
    >
      <div className={styles.head}>
        <h2 id="runs-title">{shownPair ? 'Two runs' : 'Runs'}</h2>
        <CloseButton aria-label="Close" data-test="runs-close" onClick={onClose} />
      </div>
      {shownPair ? (
        <RunComparison a={a} b={b} onBack={() => setComparing(false)} onOpen={open} />
      ) : runs === null ? (
        <p className={styles.empty}>Reading</p>
      ) : (
        <RunList runs={runs} chosen={chosen} onChoose={choose} onOpen={open} onCompare={() => setComparing(true)} />
      )}
    </dialog>
  )
}
