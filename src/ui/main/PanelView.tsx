import { useThrottledValue } from '@mantine/hooks'
import { useMemo } from 'react'
import type { MethodOutcome } from '../../experiment/result'
import type { UnfinishedTraining } from '../../figures/figure'
import { firstResult, noTraining } from '../../store/panel-state'
import { panelOutcomes } from '../../store/selectors'
import { unfinishedTrainings } from '../../store/unfinished'
import type { FigureView } from '../../store/views'
import { StatePanel } from '../PanelState'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useApp } from '../use-app'
import { useFigureLook } from './figure-look'
import { panelFigure } from './figures'
import styles from './Tile.module.css'

/** A curve that grows is drawn again this often, in milliseconds. */
const REDRAW_MS = 250

/** One figure over all methods, as far as it is computed. */
export function PanelView({ view }: { readonly view: FigureView }) {
  const outcomes = useApp(panelOutcomes)
  const { current: look } = useFigureLook()
  const unfinished = useUnfinished(view, outcomes)
  const options = useMemo(() => ({ ...look, unfinished }), [look, unfinished])
  const drawn = panelFigure(view.figure)
  const learned = outcomes.some((outcome) => outcome.kind === 'result' && outcome.training)
  const figure = useMemo(() => drawn?.build(outcomes, options), [drawn, outcomes, options])
  const nothing = view.id === 'training' ? !learned && unfinished.length === 0 : outcomes.length === 0
  if (!drawn || !figure) return null
  if (nothing) return <Nothing isTraining={view.id === 'training'} />
  return (
    <div className={styles.panel} data-test={`panel-${view.id}`}>
      <Plot figure={figure} title={drawn.label} label={drawn.describe(outcomes, options)} enlarged>
        <FigureData name={drawn.label} table={() => drawn.table(outcomes, options)} />
      </Plot>
    </div>
  )
}

function Nothing({ isTraining }: { readonly isTraining: boolean }) {
  const state = useApp(isTraining ? noTraining : firstResult)
  return <StatePanel state={state} />
}

const NONE: readonly UnfinishedTraining[] = []

/** The trainings that the view draws beside results, a few times a second while one goes on. */
function useUnfinished(view: FigureView, outcomes: readonly MethodOutcome[]): readonly UnfinishedTraining[] {
  const now = useApp((state, vocabulary) => (view.id === 'training' ? unfinishedTrainings(state, vocabulary) : NONE))
  const drawn = useThrottledValue(now, REDRAW_MS)
  // What has finished meanwhile is drawn once.
  return useMemo(() => {
    const open = drawn.filter(
      ({ method, setting }) => !outcomes.some((each) => each.method === method && each.setting === setting),
    )
    return open.length === 0 ? NONE : open
  }, [drawn, outcomes])
}
