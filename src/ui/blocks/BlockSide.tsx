import { useCallback, useMemo } from 'react'
import type { Inspection } from '../../experiment/inspect-block'
import { blockBars } from '../../figures/block-bars'
import { describeInspection } from '../../figures/block-table'
import { scaleValue } from '../../formats/codec-scale'
import type { Quantizer } from '../../formats/number-format'
import { scaledGrid } from '../../formats/scaled-grid'
import { FormatPicker } from '../formats/FormatPicker'
import { useActions, useApp } from '../use-app'
import { BlockBars } from './BlockBars'
import styles from './blocks.module.css'

interface BlockSideProps {
  readonly side: 0 | 1
  readonly text: string
  readonly quantizer: Quantizer
  readonly inspection: Inspection
  /** Magnitude at the ends of the bars' axis, shared by both sides. */
  readonly limit: number
}

const SIDE_NAMES = ['Format', 'Compared with'] as const

/** One format: its select, the scale it chose, what it did to the block, and the elements as bars. */
export function BlockSide({ side, text, quantizer, inspection, limit }: BlockSideProps) {
  const operand = useApp((state) => (state.blocks.operand === 'weight' ? 'W' : 'X'))
  const { setBlockFormat } = useActions()
  const change = useCallback((next: string) => setBlockFormat(side, next), [setBlockFormat, side])
  const bars = useMemo(
    () => blockBars(inspection, limit, gridValues(quantizer, inspection)),
    [inspection, limit, quantizer],
  )
  return (
    <figure className={styles.format} data-test={`block-side-${side}`}>
      <FormatPicker label={SIDE_NAMES[side]} text={text} hook={`block-format-${side}`} onChange={change} />
      <BlockBars bars={bars} limit={limit} operand={operand} />
      <figcaption className={styles.facts} data-test={`block-facts-${side}`}>
        {describeInspection(inspection)}
      </figcaption>
    </figure>
  )
}

/** The values of the format where the span has one scale; lines of several would stand for none of them. */
function gridValues(quantizer: Quantizer, { scales }: Inspection): ArrayLike<number> {
  const [first] = scales
  const drawable = scales.length === 1 && quantizer.family !== 'sixteen-bit' && scaleValue(first.scale) > 0
  return drawable ? scaledGrid(quantizer, first.scale).values : []
}
