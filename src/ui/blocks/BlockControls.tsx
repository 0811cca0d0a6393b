import { SegmentedControl } from '@mantine/core'
import { ROW_NOUN } from '../../figures/scale-map'
import { shownBlock, shownMap } from '../../store/blocks-view'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import styles from './blocks.module.css'

/** Which operand, and which of its blocks: everything the map does by pointer. */
export function BlockControls() {
  const { operand, row, block } = useApp((state) => state.blocks)
  const shown = useApp(shownBlock)
  const rows = useApp((state) => shownMap(state)?.rows ?? null)
  const { setOperand, selectBlock, setSheet } = useActions()
  const at = { row: shown?.row ?? row, block: shown?.block ?? block }
  const lastRow = (rows ?? at.row + 1) - 1
  const lastBlock = (shown?.blocks ?? at.block + 1) - 1
  const noun = ROW_NOUN[operand]
  return (
    <div className={styles.controls}>
      <SegmentedControl
        size="xs"
        aria-label="Operand"
        value={operand}
        onChange={(value) => setOperand(value === 'activations' ? 'activations' : 'weight')}
        data={[
          { value: 'weight', label: <span data-test="blocks-weight">Weights W</span> },
          { value: 'activations', label: <span data-test="blocks-activations">Activations X</span> },
        ]}
      />
      <NumberField
        half
        label={noun[0].toUpperCase() + noun.slice(1)}
        help={`Which ${noun} the block is taken from, counted from 0. Tokens count through calibration rows, then those held out.`}
        value={at.row}
        min={0}
        max={lastRow}
        hook="blocks-row"
        onChange={(value) => value !== null && selectBlock(value, at.block)}
      />
      <NumberField
        half
        label="Block"
        help="Which block of the row, counted from 0 along the input channels."
        value={at.block}
        min={0}
        max={lastBlock}
        hook="blocks-block"
        onChange={(value) => value !== null && selectBlock(at.row, value)}
      />
      <button type="button" className={styles.open} data-test="blocks-open" onClick={() => setSheet(true)}>
        Open this block
      </button>
    </div>
  )
}
