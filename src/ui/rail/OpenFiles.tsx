import { Button, CloseButton } from '@mantine/core'
import { type FileLine, fileLines } from '../../store/open-file-lines'
import { useActions, useApp } from '../use-app'
import styles from './LayerSection.module.css'

/** The user's open files, shards of a model as one, each with its size, what is missing of it and a way to close it. */
export function OpenFiles() {
  const lines = useApp((state) => fileLines(state.source.files))
  const { closeFile } = useActions()
  if (lines.length === 0) return null
  return (
    <>
      <ul className={styles.files} aria-label="Open files" data-test="open-files">
        {lines.map((line) => (
          <OpenFile key={line.id} line={line} />
        ))}
      </ul>
      {lines.length > 1 && (
        <Button
          size="compact-xs"
          variant="default"
          data-test="close-all"
          onClick={() => {
            for (const { id } of lines) closeFile(id)
          }}
        >
          Close all
        </Button>
      )}
    </>
  )
}

function OpenFile({ line }: { readonly line: FileLine }) {
  const { closeFile } = useActions()
  return (
    <li>
      <div className={styles.openFile}>
        <span className={styles.name} title={line.title}>
          {line.name}
        </span>
        <span className={styles.amount}>{line.amount}</span>
        <CloseButton size="xs" aria-label={`Close ${line.name}`} onClick={() => closeFile(line.id)} />
      </div>
      {line.notes.map(({ code, message }) => (
        <p key={message} className={styles.fileNote} data-test={`banner-${code}`}>
          <strong>{code}</strong> {message}
        </p>
      ))}
    </li>
  )
}
