import { Button } from '@mantine/core'
import { awaitedFiles } from '../../store/link-restore'
import { savedOnScreen } from '../../store/saved-layer'
import { useDrop } from '../rail/DropTarget'
import { useActions, useApp } from '../use-app'
import styles from './SavedNote.module.css'

/** Results of a file, or of an earlier run, are on screen: said, with the way to the layer itself. */
export function SavedNote() {
  const saved = useApp(savedOnScreen)
  const awaited = useApp((state) => awaitedFiles(state.source).map(({ name }) => name))
  const { applyLink } = useActions()
  if (saved === null) return null
  const { fileName, version, adapter, fragment } = saved
  const origin = adapter ? ` on ${adapter.description}` : ''
  if (awaited.length > 0) return <Awaited {...{ run: fileName, origin, version, awaited }} />
  return (
    <section className={styles.note} data-test="saved-note" role="status">
      <p>
        Saved results of {fileName}, computed{origin} by MXScope {version}. The layer itself is not open: figures and
        numbers come from the file, and nothing is computed.
      </p>
      <Button
        size="compact-sm"
        variant="default"
        data-test="saved-open-layer"
        onClick={() => void applyLink(`#${fragment}`)}
      >
        Open the layer
      </Button>
    </section>
  )
}

interface AwaitedProps {
  readonly run: string
  readonly origin: string
  readonly version: string
  readonly awaited: readonly string[]
}

/** A link waits for its file: meanwhile its run of this browser. */
function Awaited({ run, origin, version, awaited }: AwaitedProps) {
  const { pick } = useDrop()
  return (
    <section className={styles.note} data-test="awaited-run" role="status">
      <p>
        Numbers of an earlier run of this link, kept in this browser: {run}, computed{origin} by MXScope {version}. Open{' '}
        {awaited.join(' and ')} to compute on the layer itself.
      </p>
      <Button size="compact-sm" variant="default" data-test="awaited-open" onClick={pick}>
        Open a file
      </Button>
    </section>
  )
}
