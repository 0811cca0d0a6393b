/** The figures on the page, for what saves them: every view has its own, and this is where they all are. */
import { type RefObject, useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import type { FigureSpec } from '../../figures/figure'
import { useFigureTheme } from './figure-theme'
import { loadPlotly, type PlotlyApi } from './plotly-loader'

export interface ShownFigure {
  readonly figure: FigureSpec
  /** Whose figure it is, or what it shows; null: the view's own name stands for it. */
  readonly title: string | null
  /** Its finding in words. */
  readonly label: string
  readonly load: () => Promise<PlotlyApi>
  /** Where it stands. */
  readonly element: HTMLElement
}

const shown = new Set<ShownFigure>()
const listeners = new Set<() => void>()

function tell(): void {
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Every figure on the page that is visible, in no order. */
export function shownFigures(): readonly ShownFigure[] {
  return [...shown].filter(({ element }) => element.clientWidth > 0)
}

/** How many there are; a view that is still being loaded adds its own when it is there. */
export function useShownCount(): number {
  return useSyncExternalStore(subscribe, () => shownFigures().length)
}

/** Keeps a figure among those on the page while it is mounted; null: it is not one of them. */
export function useShownFigure(
  host: RefObject<HTMLElement | null>,
  figure: FigureSpec | null,
  { title, label, load }: { readonly title?: string; readonly label: string; readonly load?: () => Promise<PlotlyApi> },
): void {
  useLayoutEffect(() => {
    const element = host.current
    if (!element || !figure) return
    const entry = { figure, title: title ?? null, label, load: load ?? loadPlotly, element }
    shown.add(entry)
    tell()
    return () => {
      shown.delete(entry)
      tell()
    }
  }, [host, figure, title, label, load])
}

/** The figure to draw on screen: what it was before figures were built to be saved, while they are. */
export function useOnScreen<T>(figure: T): T {
  const saving = useFigureTheme() !== null
  const last = useRef(figure)
  if (!saving) last.current = figure
  return last.current
}
