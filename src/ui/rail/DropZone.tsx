import { Button, CloseButton } from '@mantine/core'
import { useRef } from 'react'
import { useActions, useApp } from '../use-app'
import { useDrop } from './DropTarget'
import styles from './LayerSection.module.css'
import { LinkRequest } from './LinkRequest'
import { OpenAddress } from './OpenAddress'
import { Transfer } from './Transfer'

/** Open files, a folder or an address, and read here why something could not be opened. */
export function DropZone() {
  const { input, pick } = useDrop()
  const { openFiles } = useActions()
  const reading = useApp((state) => state.source.reading)
  const status = reading.length > 0 ? `Reading ${reading.join(', ')}` : 'Read in this tab only'
  return (
    <>
      <div className={styles.zone} data-test="drop">
        <span className={styles.invitation}>
          Drop files, a folder
          <span className={styles.small} role="status" title={status}>
            {status}
          </span>
        </span>
        <input
          ref={input}
          type="file"
          hidden
          multiple
          aria-label="Safetensors files"
          onChange={({ currentTarget }) => openChosen(currentTarget, openFiles)}
        />
        <Button size="xs" px={10} variant="default" className={styles.open} aria-keyshortcuts="o" onClick={pick}>
          Open
        </Button>
        <FolderButton />
      </div>
      <OpenAddress />
      <Reopen />
      <Fetching />
      <Problems />
      <LinkRequest />
    </>
  )
}

/** Opens what was chosen, and empties the input so that the same can be chosen again. */
function openChosen(input: HTMLInputElement, openFiles: (files: readonly File[]) => Promise<void>): void {
  const files = [...(input.files ?? [])]
  input.value = ''
  if (files.length > 0) void openFiles(files)
}

function FolderButton() {
  const { openFiles } = useActions()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        data-test="folder"
        aria-label="Folder of a model"
        {...{ webkitdirectory: '' }}
        onChange={({ currentTarget }) => openChosen(currentTarget, openFiles)}
      />
      <Button size="xs" px={10} variant="default" className={styles.open} onClick={() => input.current?.click()}>
        Folder
      </Button>
    </>
  )
}

/** The files of the visit before, where the browser has kept what leads to them. */
function Reopen() {
  const kept = useApp((state) => (state.source.files.some(({ builtIn }) => builtIn === null) ? [] : state.source.kept))
  const { reopenFiles, forgetFiles } = useActions()
  if (kept.length === 0) return null
  const name = kept.length === 1 ? kept[0].name : `${kept.length} files`
  const names = kept.map((file) => file.name).join(', ')
  return (
    <div className={styles.reopen} data-test="reopen">
      <Button
        size="compact-xs"
        variant="subtle"
        title={`Opened on the last visit: ${names}`}
        className={styles.reopenName}
        onClick={() => void reopenFiles()}
      >
        Reopen {name}
      </Button>
      <CloseButton size="xs" aria-label={`Forget ${name}`} onClick={forgetFiles} />
    </div>
  )
}

/** What a run waits for from a server. */
function Fetching() {
  const fetching = useApp((state) => state.source.fetching)
  const { cancel } = useActions()
  if (fetching === null) return null
  const { file, tensor, done, total } = fetching
  return <Transfer hook="fetching" what={`${tensor} from ${file}`} progress={{ done, total }} onCancel={cancel} />
}

/** Files that were refused, and remarks about the link. */
function Problems() {
  const problems = useApp((state) => state.source.problems)
  const notes = useApp((state) => state.source.notes)
  const { dismissProblems } = useActions()
  if (problems.length === 0 && notes.length === 0) return null
  return (
    <div className={styles.problem} role={problems.length > 0 ? 'alert' : 'status'}>
      {problems.map(({ name, error }) => (
        <p key={`${name} ${error.code} ${error.message}`} data-test={`banner-${error.code}`}>
          <strong>{error.code}</strong> {error.message.includes(name) ? '' : `${name}: `}
          {error.message}
        </p>
      ))}
      {notes.map(({ code, message }) => (
        <p key={`${code} ${message}`} data-test={`banner-${code}`}>
          <strong>{code}</strong> {message}
        </p>
      ))}
      <CloseButton className={styles.close} size="xs" aria-label="Dismiss" onClick={dismissProblems} />
    </div>
  )
}
