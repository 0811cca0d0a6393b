import { useEffect } from 'react'
import { blockKeys, blocksError, shownMap } from '../../store/blocks-view'
import { PanelState } from '../PanelState'
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
  const hasMap = useApp((state) => shownMap(state) !== null)
  const error = useApp(blocksError)
  const { loadBlocks, retryBlocks } = useActions()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `keys` says what is to be loaded
  useEffect(() => loadBlocks(), [keys, loadBlocks])
  return (
    <div className={styles.view} data-test="panel-blocks">
      <section className={styles.side} aria-label="Map of blocks">
        <BlockControls />
        {error && (
          <PanelState
            compact
            kind="failed"
            title={`${error.message} (${error.code})`}
            actions={[{ label: 'Try again', onClick: retryBlocks }]}
          />
        )}
        {hasMap ? <BlockMapView /> : !error && <PanelState kind="working" title="Reading the layer" />}
        <p className={styles.note}>{EXPLAINS}</p>
      </section>
      <BlockPanel />
    </div>
  )
}
