import { Button, CloseButton } from '@mantine/core'
import { waitingNote } from '../../store/link-notes'
import { awaitedFiles } from '../../store/link-restore'
import { useActions, useApp } from '../use-app'
import { useDrop } from './DropTarget'
import styles from './LayerSection.module.css'

/** Open a file, and read here why one could not be opened. */
export function DropZone() {
  const { getInputProps, open } = useDrop()
  const reading = useApp((state) => state.source.reading)
  const status = reading.length > 0 ? `Reading ${reading.join(', ')}` : 'Read in this tab only'
  return (
    <>
      <div className={styles.zone} data-test="drop">
        <span className={styles.invitation}>
          Drop .safetensors files
          <span className={styles.small} role="status" title={status}>
            {status}
          </span>
        </span>
        <input {...getInputProps({ multiple: true, 'aria-label': 'Safetensors files' })} />
        <Button size="xs" variant="default" className={styles.open} onClick={open}>
          Open
        </Button>
      </div>
      <Problems />
      <LinkRequest />
    </>
  )
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

/** LK-01: the link on screen was made with files that are not open. */
function LinkRequest() {
  const waiting = useApp((state) => state.source.pendingLink !== null)
  const awaited = useApp((state) => awaitedFiles(state.source))
  const { dismissLink } = useActions()
  if (!waiting) return null
  const { code, message } = waitingNote(awaited)
  return (
    <div className={styles.problem} data-test={`banner-${code}`}>
      <strong>{code}</strong> {message}
      <CloseButton className={styles.close} size="xs" aria-label="Do not wait for the file" onClick={dismissLink} />
    </div>
  )
}
