import { Button } from '@mantine/core'
import { type CSSProperties, type ReactNode, useMemo } from 'react'
import type { MethodResult } from '../../experiment/result'
import type { FigureOptions, PanelFigure } from '../../figures/figure'
import { methodStyle } from '../../figures/method-style'
import { figureOptions } from '../../figures/options'
import { whyNoScales } from '../../figures/scales'
import { listed } from '../../figures/words'
import { PRE_SCALE_MAX } from '../../formats/number-format'
import { betterPreScales } from '../../store/better-values'
import { analysedResults, missingText, type ScaleModel, scaleModels } from '../../store/scale-models'
import { MethodMark } from '../MethodMark'
import { useTheme } from '../main/figure-look'
import { panelFigure, tileFigure } from '../main/figures'
import { PanelState } from '../PanelState'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useActions, useApp } from '../use-app'
import styles from './ScalesView.module.css'

/** Figures over all methods, below the tiles of the single ones. */
const PANELS = ['error-split', 'pre-scale-sweep', 'block-size-sweep', 'clipping'] as const

/** What the scales cost: the exponents each method leads to, and the output error with other scales and blocks. */
export function ScalesView() {
  const models = useApp(scaleModels)
  const live = useApp((state) => analysedResults(scaleModels(state), 'live'))
  const stale = useApp((state) => analysedResults(scaleModels(state), 'stale'))
  const theme = useTheme()
  // What is left from the previous setting is never drawn on the axes of what is there.
  const options = useMemo(() => figureOptions(live, { theme }), [live, theme])
  const previous = useMemo(() => figureOptions(stale, { theme }), [stale, theme])
  const isStale = live.length === 0 && stale.length > 0
  const missing = missingText(models)
  return (
    <div className={styles.view} data-test="panel-scales">
      <div className={styles.tiles} style={{ '--count': models.length } as CSSProperties}>
        {models.map((model) => (
          <ExponentTile key={model.method} model={model} options={model.status === 'stale' ? previous : options} />
        ))}
      </div>
      {missing !== null && (
        <p className={styles.note} role="status">
          {missing}
        </p>
      )}
      <div className={styles.panels} data-result={isStale ? 'stale' : 'live'}>
        {PANELS.map((id) => (
          <Panel key={id} id={id} results={isStale ? stale : live} options={isStale ? previous : options}>
            {id === 'pre-scale-sweep' && <BetterPreScales results={live} />}
          </Panel>
        ))}
      </div>
    </div>
  )
}

interface TileProps {
  readonly model: ScaleModel
  readonly options: FigureOptions
}

/** One method: its shared exponents, or why there are none. */
function ExponentTile({ model, options }: TileProps) {
  const drawn = tileFigure('scales')
  const result = 'result' in model ? model.result : null
  const figure = useMemo(() => (result ? drawn?.build(result, options) : null), [drawn, result, options])
  const name = methodStyle(model.method, 'light').label
  const isEmpty = !figure || figure.data.length === 0
  const reason = 'result' in model ? `Nothing to show: ${whyNoScales(model.result)}` : model.text
  return (
    <article
      className={styles.tile}
      data-test={`scales-${model.method}`}
      data-result={model.status}
      aria-label={`Shared exponents, ${name}`}
    >
      <h2>
        <MethodMark id={model.method} /> {name}
        {model.status === 'stale' && <span className={styles.previous}>previous setting</span>}
      </h2>
      {isEmpty || !drawn || !result ? (
        <PanelState compact kind="empty" title={reason} />
      ) : (
        <div className={styles.figure}>
          <Plot figure={figure} title={`${drawn.label}, ${name}`} label={drawn.describe(result, options)} captionHidden>
            <FigureData name={`${drawn.label}, ${name}`} table={() => drawn.table(result, options)} />
          </Plot>
        </div>
      )}
    </article>
  )
}

interface PanelProps {
  readonly id: string
  readonly results: Parameters<PanelFigure['build']>[0]
  readonly options: FigureOptions
  /** Below the figure, where it draws anything. */
  readonly children?: ReactNode
}

/** One figure over all methods measured so far, with its caption and its numbers. */
function Panel({ id, results, options, children }: PanelProps) {
  const drawn = panelFigure(id)
  const figure = useMemo(() => drawn?.build(results, options), [drawn, results, options])
  if (!drawn || !figure || results.length === 0) return null
  const label = drawn.describe(results, options)
  return (
    <article className={styles.panel} data-test={`panel-${id}`} aria-label={drawn.label}>
      <h2>{drawn.label}</h2>
      {figure.data.length === 0 ? (
        <PanelState compact kind="empty" title={label} />
      ) : (
        <Plot figure={figure} title={drawn.label} label={label}>
          <FigureData name={drawn.label} table={() => drawn.table(results, options)} />
          {children}
        </Plot>
      )}
    </article>
  )
}

/** Factors the sweep found better than the one in use, each with a button that sets it. */
function BetterPreScales({ results }: { readonly results: readonly MethodResult[] }) {
  const { setPreScale } = useActions()
  const better = betterPreScales(results)
  if (better.length === 0) return null
  return (
    <div className={styles.better} data-test="pre-scale-better">
      {better.map(({ factor, variant, methods }) => (
        <Button
          key={factor}
          size="compact-xs"
          variant="default"
          onClick={() => setPreScale({ on: factor !== PRE_SCALE_MAX, factor, variant })}
        >
          Use {factor === PRE_SCALE_MAX ? 'no pre-scale' : factor} (best for {listed(methods)})
        </Button>
      ))}
    </div>
  )
}
