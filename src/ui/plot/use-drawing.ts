import { type RefObject, useEffect, useRef, useState } from 'react'
import type { FigureSpec } from '../../figures/figure'
import { enqueueDraw } from './draw-queue'
import { drawable, plotConfig } from './plotly-config'
import type { PlotlyApi } from './plotly-loader'

export type DrawingState =
  | { readonly kind: 'loading' | 'drawn' }
  | { readonly kind: 'failed'; readonly message: string }

export interface Drawing {
  readonly host: RefObject<HTMLDivElement | null>
  readonly state: DrawingState
}

interface DrawingOptions {
  readonly enlarged: boolean
  /** Must be the same function at every render. */
  readonly load: () => Promise<PlotlyApi>
  /** Called once, after the first drawing, with the element Plotly draws into. */
  readonly onFirstDrawn?: (host: HTMLElement) => void
}

/** Keeps `figure` drawn in the element of `host`: again when it changes, resized with it, purged when it goes. */
export function useDrawing(figure: FigureSpec, { enlarged, load, onFirstDrawn }: DrawingOptions): Drawing {
  const host = useRef<HTMLDivElement>(null)
  const plotly = useRef<PlotlyApi | null>(null)
  const firstDrawn = useRef(onFirstDrawn)
  const [state, setState] = useState<DrawingState>({ kind: 'loading' })

  useEffect(() => {
    let stale = false
    let cancel = () => {}
    const draw = async (api: PlotlyApi, element: HTMLElement) => {
      const { data, layout } = drawable(figure, enlarged)
      await api.react(element, data, layout, plotConfig(enlarged))
      hideFromAssistiveTechnology(element)
    }
    const fail = (error: unknown) => {
      if (!stale) setState({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
    load().then((api) => {
      const element = host.current
      if (stale || !element) return
      cancel = enqueueDraw(() =>
        draw(api, element).then(() => {
          if (!plotly.current) firstDrawn.current?.(element)
          plotly.current = api
          if (!stale) setState({ kind: 'drawn' })
        }, fail),
      )
    }, fail)
    return () => {
      stale = true
      cancel()
    }
  }, [figure, enlarged, load])

  useResize(host, plotly)
  usePurge(host, plotly)
  return { host, state }
}

/** The caption and the data table say what the drawing shows; its hundreds of nodes only get in the way. */
function hideFromAssistiveTechnology(element: HTMLElement): void {
  for (const node of element.querySelectorAll('svg.main-svg, canvas')) node.setAttribute('aria-hidden', 'true')
}

function useResize(host: RefObject<HTMLElement | null>, plotly: RefObject<PlotlyApi | null>): void {
  useEffect(() => {
    const element = host.current
    if (!element) return
    let cancel = () => {}
    const observer = new ResizeObserver(() => {
      cancel()
      // A hidden tile has no size; it is resized when it shows. Plots.resize would wait a tenth of a second, each time.
      cancel = enqueueDraw(() => {
        if (element.clientWidth > 0) return plotly.current?.relayout(element, { autosize: true })
      })
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      cancel()
    }
  }, [host, plotly])
}

function usePurge(host: RefObject<HTMLElement | null>, plotly: RefObject<PlotlyApi | null>): void {
  useEffect(() => {
    const element = host.current
    return () => {
      if (element) plotly.current?.purge(element)
      plotly.current = null
    }
  }, [host, plotly])
}
