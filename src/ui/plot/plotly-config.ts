import type { Config, Layout } from 'plotly.js'
import type { FigureSpec } from '../../figures/figure'

/**
 * The configuration of every plot. The cloud button and its address are off: nothing leaves the tab. The tool bar
 * shows only where there is room, in the enlarged tile.
 */
export function plotConfig(enlarged: boolean): Partial<Config> & { showSendToCloud: false; plotlyServerURL: '' } {
  return {
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: '',
    displayModeBar: enlarged,
    modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'],
    responsive: false,
    scrollZoom: false,
  }
}

/** In px; the bar lies above the plot, not on its notes. */
const TOOL_BAR_HEIGHT = 26

/** A copy that Plotly may write into: it changes the layout it is given. Enlarged figures can be zoomed by dragging. */
export function drawable(figure: FigureSpec, enlarged: boolean): { data: FigureSpec['data']; layout: Partial<Layout> } {
  const layout = structuredClone(figure.layout)
  if (enlarged) {
    layout.dragmode = 'zoom'
    layout.margin = { ...layout.margin, t: (layout.margin?.t ?? 0) + TOOL_BAR_HEIGHT }
  }
  return { data: figure.data.map((trace) => ({ ...trace })), layout }
}
