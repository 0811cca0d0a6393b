import { type KeyboardEvent, useState } from 'react'
import { settingLabel } from '../../experiment/setting-text'
import type { RunSummary } from '../../store/history'
import { bestScore, headline, runTitle } from '../../store/history-text'
import { Cross, Pen, Pin } from '../icons'
import { MethodMark } from '../MethodMark'
import { useActions, useVocabulary } from '../use-app'
import styles from './history.module.css'
import { exactTime, relativeTime } from './run-time'

interface RunLineProps {
  readonly run: RunSummary
  readonly isChosen: boolean
  readonly isRenaming: boolean
  readonly onChoose: () => void
  readonly onOpen: () => void
  readonly onRename: (on: boolean) => void
  readonly onDelete: () => void
  /** Of its title. */
  readonly onKeyDown: (event: KeyboardEvent) => void
}

/** One run: its title opens it. */
export function RunLine({ run, isChosen, isRenaming, onChoose, onOpen, onRename, onDelete, onKeyDown }: RunLineProps) {
  const vocabulary = useVocabulary()
  const { pinRun } = useActions()
  const title = runTitle(run, vocabulary)
  return (
    <li className={styles.run} data-test="run" data-pinned={run.pinned}>
      <input
        type="checkbox"
        className={styles.tick}
        aria-label={`Compare ${title}`}
        data-test="run-choose"
        checked={isChosen}
        onChange={onChoose}
      />
      <div className={styles.about}>
        {isRenaming ? (
          <Rename run={run} title={title} onDone={() => onRename(false)} />
        ) : (
          <button
            type="button"
            className={styles.title}
            data-run
            data-test="run-open"
            title="Open this run"
            aria-keyshortcuts="Enter F2 Delete"
            onClick={onOpen}
            onKeyDown={onKeyDown}
          >
            {title}
          </button>
        )}
        <p className={styles.facts}>
          <time dateTime={new Date(run.time).toISOString()} title={exactTime(run.time)}>
            {relativeTime(run.time, Date.now())}
          </time>
          {' · '}
          <Best run={run} />
          {run.title !== null && ` · ${run.layer}, ${settingLabel(run.setting.id)}`}
        </p>
      </div>
      <button
        type="button"
        className={styles.icon}
        aria-label={`Pin ${title}`}
        aria-pressed={run.pinned}
        title={run.pinned ? 'Pinned: never dropped to make room' : 'Pin: never dropped to make room'}
        data-test="run-pin"
        onClick={() => void pinRun(run.id, !run.pinned)}
      >
        <Pin />
      </button>
      <button
        type="button"
        className={styles.icon}
        aria-label={`Rename ${title}`}
        title="Rename (F2)"
        data-test="run-rename"
        onClick={() => onRename(true)}
      >
        <Pen />
      </button>
      <button
        type="button"
        className={styles.icon}
        aria-label={`Delete ${title}`}
        title="Delete (Delete)"
        data-test="run-delete"
        onClick={onDelete}
      >
        <Cross />
      </button>
    </li>
  )
}

function Best({ run }: { readonly run: RunSummary }) {
  const vocabulary = useVocabulary()
  const best = bestScore(run.scores)
  return (
    <>
      {best && <MethodMark id={best.method} />} {headline(run, vocabulary)}
    </>
  )
}

/** Enter and leaving the field keep what is written, Escape does not. */
function Rename({
  run,
  title,
  onDone,
}: {
  readonly run: RunSummary
  readonly title: string
  readonly onDone: () => void
}) {
  const { renameRun } = useActions()
  const [text, setText] = useState(title)
  const finish = (kept: boolean) => {
    if (kept && text.trim() !== title) void renameRun(run.id, text)
    onDone()
  }
  return (
    <input
      // biome-ignore lint/a11y/noAutofocus: the field comes in answer to a click or a key on the same line.
      autoFocus
      className={styles.field}
      aria-label="Title of the run; empty: named by what it compares"
      data-test="run-title"
      maxLength={120}
      value={text}
      onFocus={({ currentTarget }) => currentTarget.select()}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== 'Escape') return
        event.preventDefault()
        finish(event.key === 'Enter')
      }}
    />
  )
}
