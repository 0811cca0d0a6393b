import { Button } from '@mantine/core'
import { savedOnScreen } from '../../store/saved-layer'
import { useActions, useApp } from '../use-app'
import styles from './SavedNote.module.css'

/** Results of a file are on screen: said, with the way to the layer itself. */
export function SavedNote() {
  const saved = useApp(savedOnScreen)
  const { applyLink } = useActions()
  if (saved === null) return null
  const { fileName, version, adapter, fragment } = saved
  const origin = adapter ? ` on ${adapter.description}` : ''
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
