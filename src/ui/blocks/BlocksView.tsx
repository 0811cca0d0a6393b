import { useEffect } from 'react'
import { blockKeys, blocksError, shownMap } from '../../store/blocks-view'
import { emptyReason } from '../../store/selectors'
import { useActions, useApp } from '../use-app'
import { BlockControls } from './BlockControls'
import { BlockMapView } from './BlockMapView'
import { BlockPanel } from './BlockPanel'
import styles from './blocks.module.css'

const EXPLAINS =
  'Formats with shared scales cut every row into blocks. The map shows the scale each block of the loaded operand needs; choosing one opens its elements under two formats.'

/** A map of the blocks of one operand as loaded, and one of them element by element. */
export function BlocksView() {
  const keys = useApp((state) => JSON.stringify(blockKeys(state)))
  const hasLayer = useApp((state) => state.source.weight !== null)
  const device = useApp((state) => state.device.status)
  const empty = useApp(emptyReason)
  const hasMap = useApp((state) => shownMap(state) !== null)
  const error = useApp(blocksError)
  const { loadBlocks, retryBlocks } = useActions()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `keys` says what is to be loaded
  useEffect(() => loadBlocks(), [keys, loadBlocks])
  if (!hasLayer || keys === 'null') {
    const reason = device === 'ready' ? (empty ?? 'No layer is open') : 'Reading blocks needs a GPU device'
    return (
      <div className={styles.empty} data-test="panel-blocks">
        <p>{EXPLAINS}</p>
        <p>{reason}. The Formats view needs neither.</p>
      </div>
    )
  }
  return (
    <div className={styles.view} data-test="panel-blocks">
      <section className={styles.side} aria-label="Map of blocks">
        <BlockControls />
        {error && (
          <div className={styles.failure} role="alert">
            <p>
              {error.message} ({error.code})
            </p>
            <button type="button" className={styles.plain} onClick={retryBlocks}>
              Try again
            </button>
          </div>
        )}
        {hasMap ? <BlockMapView /> : !error && <p className={styles.waiting}>Reading the layer</p>}
        <p className={styles.note}>{EXPLAINS}</p>
      </section>
      <BlockPanel />
    </div>
  )
}
