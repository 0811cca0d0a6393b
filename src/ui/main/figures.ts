import type { PanelFigure, TileFigure } from '../../figures/figure'
import { FIGURES } from '../../figures/registry'

/** The tile figure called `id`. */
export function tileFigure(id: string): TileFigure | undefined {
  return FIGURES.find((figure): figure is TileFigure => figure.id === id && figure.scope === 'tile')
}

/** The panel figure called `id`. */
export function panelFigure(id: string): PanelFigure | undefined {
  return FIGURES.find((figure): figure is PanelFigure => figure.id === id && figure.scope === 'panel')
}
