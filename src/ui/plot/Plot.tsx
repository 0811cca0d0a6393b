import type { ReactNode } from 'react'
import type { FigureSpec } from '../../figures/figure'
import { useMethodTraces } from './method-traces'
import styles from './plot.module.css'
import { loadPlotly, type PlotlyApi } from './plotly-loader'
import { useOnScreen, useShownFigure } from './shown-figures'
import { useDrawing } from './use-drawing'

export interface PlotProps {
  /** Keep the same object while nothing changed (useMemo): a new one is drawn again. */
  readonly figure: FigureSpec
  /** The finding in words: the caption, and all that assistive technology gets to hear. */
  readonly label: string
  /** Whose figure it is, or what it shows, where it is saved among others. */
  readonly title?: string
  /** False for a figure that is not saved by itself. */
  readonly isListed?: boolean
  /** Keeps the caption for assistive technology only, where the page around says the same. */
  readonly captionHidden?: boolean
  /** The large form: tool bar, zoom by dragging. */
  readonly enlarged?: boolean
  /** Below the caption, for example the data table. */
  readonly children?: ReactNode
  /** Another bundle than the flat one. Must be the same function at every render. */
  readonly load?: () => Promise<PlotlyApi>
  readonly onFirstDrawn?: (host: HTMLElement) => void
}

/** One figure, drawn by Plotly, filling the height of its parent. */
export function Plot({ figure, title, isListed = true, label, captionHidden, enlarged, children, ...more }: PlotProps) {
  const { load, onFirstDrawn } = more
  const drawn = useOnScreen(figure)
  const connect = useMethodTraces()
  const { host, state } = useDrawing(drawn, {
    enlarged: enlarged ?? false,
    load: load ?? loadPlotly,
    onFirstDrawn: (element) => {
      connect(element)
      onFirstDrawn?.(element)
    },
  })
  useShownFigure(host, isListed ? figure : null, { title, label, load })
  return (
    <figure className={styles.figure} data-drawing={state.kind} data-enlarged={enlarged}>
      <div className={styles.drawing} ref={host} />
      {state.kind === 'failed' && (
        <p className={styles.note} role="alert">
          This figure could not be drawn: {state.message}
        </p>
      )}
      <figcaption className={captionHidden ? styles.hidden : styles.caption}>{label}</figcaption>
      {children}
    </figure>
  )
}
