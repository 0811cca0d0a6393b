import { Button } from '@mantine/core'
import { type RefObject, useLayoutEffect, useRef } from 'react'
import type { HelpEntry } from '../../help/entry'
import { helpById } from '../../help/registry'
import { topicIds } from '../../help/topics'
import { GLOSSARY } from '../../store/guide'
import { VIEWS } from '../../store/views'
import { useActions, useVocabulary } from '../use-app'
import { EntryText } from './EntryText'
import styles from './help.module.css'
import { placeBeside } from './place-beside'
import { useDismiss } from './use-dismiss'

interface HelpPopoverProps {
  readonly id: string
  readonly about: string
  readonly topics: readonly string[]
  /** The button it belongs to, which opens and closes it by itself. */
  readonly anchor: RefObject<HTMLElement | null>
  readonly onClose: () => void
}

/** The entries of a "?" beside it, on phones as a sheet: the first in full, the others to unfold. */
export function HelpPopover({ id, about, topics, anchor, onClose }: HelpPopoverProps) {
  const { methods, formats } = useVocabulary()
  const { showHelp } = useActions()
  const popover = useRef<HTMLDivElement>(null)
  const ids = topicIds(topics, { methods, formats, views: VIEWS })
  const [first, ...others] = ids.flatMap((each): HelpEntry[] => [helpById(each)].filter((entry) => entry !== null))
  useLayoutEffect(() => {
    const shown = popover.current
    // In the top layer nothing cuts it off: neither the rail that scrolls nor a dialog it stands in.
    shown?.showPopover()
    if (shown && anchor.current) placeBeside(shown, anchor.current)
    shown?.focus()
  }, [anchor])
  useDismiss(popover, anchor, onClose)
  return (
    <div
      ref={popover}
      id={id}
      popover="manual"
      role="dialog"
      aria-label={`About ${about}`}
      tabIndex={-1}
      className={styles.popover}
      data-test="help-popover"
    >
      {first && <EntryText entry={first} level={2} />}
      {others.map((entry) => (
        <details key={entry.id} className={styles.more}>
          <summary>{entry.title}</summary>
          <EntryText entry={entry} />
        </details>
      ))}
      <Button
        size="compact-xs"
        variant="default"
        className={styles.open}
        data-test="help-open-glossary"
        onClick={() => {
          onClose()
          showHelp(first?.id ?? GLOSSARY)
        }}
      >
        Open in glossary
      </Button>
    </div>
  )
}
