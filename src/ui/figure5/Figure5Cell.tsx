import { useMemo } from 'react'
import type { ProfiledRow, RowFigure, RowOptions } from '../../figures/figure5'
import { methodStyle } from '../../figures/method-style'
import { ChannelPlot } from '../plot/ChannelPlot'
import type { ChannelAxis } from '../plot/channel-axis'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import styles from './figure5.module.css'

interface CellProps {
  readonly drawn: RowFigure
  readonly row: ProfiledRow
  readonly options: RowOptions
  /** null: the axis has no channels. */
  readonly axis: ChannelAxis | null
  readonly mixed: boolean
  /** Its channels are those of the layer's input. */
  readonly isInput: boolean
  /** Evaluation tokens along the y axis; undefined where its rows are none, or none of X. */
  readonly tokens: number | undefined
}

/** One figure of one row. */
export function Figure5Cell({ drawn, row, options, axis, mixed, isInput, tokens }: CellProps) {
  const figure = useMemo(() => drawn.build(row, options), [drawn, row, options])
  const name = `${drawn.label}, ${row.method === null ? 'as loaded' : methodStyle(row.method, 'light').label}`
  const plot = {
    figure,
    title: name,
    label: drawn.describe(row, options),
    captionHidden: true,
    children: <FigureData name={name} table={() => drawn.table(row, options)} />,
  }
  return (
    <div className={styles.cell} data-figure={drawn.id}>
      <h3>{drawn.label}</h3>
      <div className={styles.drawing}>
        {axis === null ? <Plot {...plot} /> : <ChannelPlot {...plot} {...{ axis, mixed, isInput, tokens }} />}
      </div>
    </div>
  )
}
