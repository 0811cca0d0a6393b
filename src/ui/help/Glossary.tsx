import { Button, CloseButton, TextInput } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { HelpGroup } from '../../help/entry'
import { searchHelp } from '../../help/glossary'
import { HELP_GROUPS, helpById } from '../../help/registry'
import { GLOSSARY } from '../../store/guide'
import { useActions, useApp } from '../use-app'
import { EntryText } from './EntryText'
import styles from './Glossary.module.css'

const anchorOf = (id: string) => `glossary-${id}`

/** Everything that can be asked about, searched, group by group; the entry of the link first in view. */
export function Glossary() {
  const help = useApp((state) => state.view.help) ?? GLOSSARY
  const { showHelp, showShortcuts, startTour } = useActions()
  const dialog = useRef<HTMLDialogElement>(null)
  const [query, setQuery] = useState('')
  const found = useMemo(() => searchHelp(HELP_GROUPS, query), [query])
  const known = help === GLOSSARY || helpById(help) !== null
  useEffect(() => dialog.current?.showModal(), [])
  useEffect(() => {
    if (help !== GLOSSARY) document.getElementById(anchorOf(help))?.scrollIntoView()
  }, [help])
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      data-test="glossary"
      data-print
      aria-labelledby="glossary-title"
      onClose={() => showHelp(null)}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className={styles.head}>
        <h2 id="glossary-title">Glossary</h2>
        <TextInput
          type="search"
          size="xs"
          className={styles.search}
          aria-label="Search the glossary"
          placeholder="Search"
          data-test="glossary-search"
          value={query}
          onChange={({ currentTarget }) => setQuery(currentTarget.value)}
        />
        <Button size="xs" variant="default" data-test="glossary-tour" onClick={startTour}>
          Six steps
        </Button>
        <Button
          size="xs"
          variant="default"
          className={styles.desk}
          data-test="glossary-shortcuts"
          onClick={() => {
            showHelp(null)
            showShortcuts(true)
          }}
        >
          Shortcuts
        </Button>
        <Button size="xs" variant="default" className={styles.desk} onClick={() => window.print()}>
          Print
        </Button>
        <CloseButton aria-label="Close" data-test="glossary-close" onClick={() => dialog.current?.close()} />
      </div>
      <div className={styles.body}>
        <Contents groups={found} />
        <div className={styles.entries}>
          {!known && <p role="status">No entry is called "{help}". Search for it, or look through the groups.</p>}
          {found.length === 0 && <p role="status">Nothing has these words: {query}</p>}
          {found.map((group) => (
            <Group key={group.id} group={group} chosen={help} />
          ))}
        </div>
      </div>
    </dialog>
  )
}

function Contents({ groups }: { readonly groups: readonly HelpGroup[] }) {
  return (
    <nav className={styles.contents} aria-label="Groups of the glossary">
      {groups.map(({ id, title, entries }) => (
        <button key={id} type="button" onClick={() => document.getElementById(anchorOf(id))?.scrollIntoView()}>
          {title} <span>{entries.length}</span>
        </button>
      ))}
    </nav>
  )
}

function Group({ group: { id, title, entries }, chosen }: { readonly group: HelpGroup; readonly chosen: string }) {
  const { showHelp } = useActions()
  return (
    <section aria-labelledby={anchorOf(id)}>
      <h3 id={anchorOf(id)}>{title}</h3>
      {entries.map((entry) => (
        <article
          key={entry.id}
          id={anchorOf(entry.id)}
          className={styles.entry}
          aria-current={entry.id === chosen ? 'true' : undefined}
        >
          <h4>
            <button
              type="button"
              title="Puts this entry in the address"
              data-test={`glossary-${entry.id}`}
              onClick={() => showHelp(entry.id)}
            >
              {entry.title}
            </button>
          </h4>
          <EntryText entry={entry} />
        </article>
      ))}
    </section>
  )
}
