import { useEffect, useState } from 'react'
import type { FigureSpec } from '../../figures/figure'
import { enqueueDraw } from './draw-queue'
import { loadPlotlyWithSurface, type PlotlyApi } from './plotly-loader'

export type StillState =
  | { readonly kind: 'drawing' }
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'failed'; readonly message: string }

interface Size {
  readonly width: number
  readonly height: number
}

/** Lets a camera or a size come to rest before it is drawn, in ms. */
const SETTLE_MS = 150

/** An image of a surface, drawn in a scene that lives only for it. The old image stays until the new one is there. */
export function useStill(figure: FigureSpec, { width, height }: Size): StillState {
  const [state, setState] = useState<StillState>({ kind: 'drawing' })
  useEffect(() => {
    if (width === 0 || height === 0) return
    let stale = false
    let cancel = () => {}
    const show = (next: StillState) => {
      if (!stale) setState(next)
    }
    const fail = (error: unknown) =>
      show({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    const draw = (plotly: PlotlyApi) => {
      if (stale) return
      cancel = enqueueDraw(() =>
        drawStill(plotly, figure, { width, height }).then((url) => show({ kind: 'image', url }), fail),
      )
    }
    const timer = setTimeout(() => loadPlotlyWithSurface().then(draw, fail), SETTLE_MS)
    return () => {
      stale = true
      clearTimeout(timer)
      cancel()
    }
  }, [figure, width, height])
  return state
}

async function drawStill(plotly: PlotlyApi, figure: FigureSpec, { width, height }: Size): Promise<string> {
  const layout = structuredClone(figure.layout)
  return plotly.toImage({ data: figure.data, layout }, { format: 'png', width, height, scale: window.devicePixelRatio })
}
