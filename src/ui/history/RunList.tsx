import { Button } from '@mantine/core'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { MOST_RUNS, type RunSummary } from '../../store/history'
import { useActions } from '../use-app'
import styles from './history.module.css'
import { RunLine } from './RunLine'

interface RunListProps {
  readonly runs: readonly RunSummary[]
  /** Ids of those to be compared. */
  readonly chosen: readonly string[]
  readonly onChoose: (id: string) => void
  readonly onOpen: (id: string) => void
  readonly onCompare: () => void
}

/** Every run, the newest first. Arrow keys move between them. */
export function RunList({ runs, chosen, onChoose, onOpen, onCompare }: RunListProps) {
  const list = useRef<HTMLUListElement>(null)
  const [renaming, setRenaming] = useState<string | null>(null)
  const { deleteRun } = useActions()
  useEffect(() => list.current?.querySelector<HTMLElement>('[data-run]')?.focus(), [])
  if (runs.length === 0) return <Empty />
  const chosenHere = chosen.filter((id) => runs.some((run) => run.id === id))
  const focusAt = (at: number) => {
    const heads = list.current?.querySelectorAll<HTMLElement>('[data-run]') ?? []
    heads[Math.min(Math.max(at, 0), heads.length - 1)]?.focus()
  }
  const remove = async (at: number) => {
    await deleteRun(runs[at].id)
    focusAt(at)
  }
  const onKeyDown = (event: KeyboardEvent, at: number) => {
    const work: Readonly<Record<string, () => void>> = {
      ArrowDown: () => focusAt(at + 1),
      ArrowUp: () => focusAt(at - 1),
      Home: () => focusAt(0),
      End: () => focusAt(runs.length - 1),
      Delete: () => void remove(at),
      F2: () => setRenaming(runs[at].id),
    }
    if (!Object.hasOwn(work, event.key)) return
    event.preventDefault()
    work[event.key]()
  }
  return (
    <>
      <div className={styles.bar}>
        <p id="runs-help" className={styles.help}>
          {chosenHere.length < 2 ? 'Tick two runs to compare them.' : 'Two runs are ticked.'}
          <span className={styles.keys}> Keys: arrows move, Enter opens, F2 renames, Delete deletes.</span>
        </p>
        <Button size="compact-sm" data-test="runs-compare" disabled={chosenHere.length < 2} onClick={onCompare}>
          Compare
        </Button>
      </div>
      <ul ref={list} className={styles.list} aria-describedby="runs-help">
        {runs.map((run, at) => (
          <RunLine
            key={run.id}
            run={run}
            isChosen={chosenHere.includes(run.id)}
            isRenaming={renaming === run.id}
            onChoose={() => onChoose(run.id)}
            onOpen={() => onOpen(run.id)}
            onRename={(on) => {
              setRenaming(on ? run.id : null)
              if (!on) requestAnimationFrame(() => focusAt(at))
            }}
            onDelete={() => void remove(at)}
            onKeyDown={(event) => onKeyDown(event, at)}
          />
        ))}
      </ul>
      <p className={styles.foot}>
        At most {MOST_RUNS} runs are kept in this browser, pinned ones always. Nothing of them leaves it.
      </p>
    </>
  )
}

function Empty() {
  return (
    <p className={styles.empty}>
      No run yet. Every comparison that finishes appears here with its time, its best method and its settings. Two of
      them can be compared; they stay in this browser until they are deleted.
    </p>
  )
}
