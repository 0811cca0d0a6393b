import { useMemo } from 'react'
import { emptyReason, panelOutcomes } from '../../store/selectors'
import type { FigureView } from '../../store/views'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useApp } from '../use-app'
import { panelFigure, useFigureLook } from './figure-look'
import styles from './Tile.module.css'

/** One figure over all methods, as far as it is computed. */
export function PanelView({ view }: { readonly view: FigureView }) {
  const outcomes = useApp(panelOutcomes)
  const { current: options } = useFigureLook()
  const drawn = panelFigure(view.figure)
  const learned = view.id !== 'training' || outcomes.some((outcome) => outcome.kind === 'result' && outcome.training)
  const figure = useMemo(() => drawn?.build(outcomes, options), [drawn, outcomes, options])
  const empty = useApp(emptyReason)
  if (!drawn || !figure || outcomes.length === 0) {
    return <p className={styles.empty}>{empty ?? 'Waiting for the first result'}</p>
  }
  if (!learned) return <p className={styles.empty}>No learned method has finished. FlatQuant is one.</p>
  return (
    <div className={styles.panel} data-test={`panel-${view.id}`}>
      <Plot figure={figure} label={drawn.describe(outcomes, options)} enlarged>
        <FigureData name={drawn.label} table={() => drawn.table(outcomes, options)} />
      </Plot>
    </div>
  )
}
