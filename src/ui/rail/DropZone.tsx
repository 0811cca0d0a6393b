import { Button, CloseButton } from '@mantine/core'
import type { LinkSource } from '../../store/url'
import { useActions, useApp } from '../use-app'
import { useDrop } from './DropTarget'
import styles from './LayerSection.module.css'

/** Open a file, and read here why one could not be opened. */
export function DropZone() {
  const { getInputProps, open } = useDrop()
  const reading = useApp((state) => state.source.reading)
  return (
    <>
      <div className={styles.zone} data-test="drop">
        <span>
          Drop .safetensors files
          <span className={styles.small} role="status">
            {reading.length > 0 ? `Reading ${reading.join(', ')}` : 'Read in this tab only'}
          </span>
        </span>
        <input {...getInputProps({ multiple: true, 'aria-label': 'Safetensors files' })} />
        <Button size="xs" variant="default" onClick={open}>
          Open
        </Button>
      </div>
      <Problems />
      <LinkRequest />
    </>
  )
}

function Problems() {
  const problems = useApp((state) => state.source.problems)
  const note = useApp((state) => state.source.note)
  const { dismissProblems } = useActions()
  if (problems.length === 0 && note === null) return null
  return (
    <div className={styles.problem} role="alert">
      {problems.map(({ name, error }) => (
        <p key={`${name} ${error.code} ${error.message}`} data-test={`banner-${error.code}`}>
          <strong>{error.code}</strong> {error.message.includes(name) ? '' : `${name}: `}
          {error.message}
        </p>
      ))}
      {note && <p>{note}</p>}
      <CloseButton className={styles.close} size="xs" aria-label="Dismiss" onClick={dismissProblems} />
    </div>
  )
}

const isFile = (source: LinkSource) => source.kind === 'file'

/** LK-01: the link on screen was made with files that are not open. */
function LinkRequest() {
  const pending = useApp((state) => state.source.pendingLink)
  if (!pending) return null
  const wanted = pending.sources
    .filter(isFile)
    .map(
      ({ name, byteLength, headerHash }) =>
        `"${name}" (${byteLength.toLocaleString('en-US')} bytes, header ${headerHash || 'not recorded'})`,
    )
  return (
    <p className={styles.problem} data-test="banner-LK-01">
      <strong>LK-01</strong> This link was made with {wanted.join(' and ')}. Drop{' '}
      {wanted.length > 1 ? 'those files' : 'that file'} to restore it.
    </p>
  )
}
