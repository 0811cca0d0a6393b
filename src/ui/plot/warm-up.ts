import type { Data, Layout } from '../../../types/plotly-figure'
import { plotConfig } from './plotly-config'
import type { PlotlyApi } from './plotly-loader'

const HIDDEN = { xaxis: { visible: false }, yaxis: { visible: false } } as const
const AXES: Partial<Layout> = { xaxis: { title: { text: 'x' } }, yaxis: { type: 'log', title: { text: 'y' } } }
const MARKS: Partial<Layout> = {
  annotations: [{ text: 'a', x: 0.5, y: 0.5, xref: 'paper', yref: 'paper', showarrow: false }],
  shapes: [{ type: 'line', x0: 0, x1: 1, y0: 0, y1: 1 }],
}

/** A histogram of as many bins as figures have. */
const x = Array.from({ length: 200 }, (_, bin) => bin)
const LINE: Data = { type: 'scatter', mode: 'lines', x, y: x.map((bin) => Math.exp(-bin / 30)), line: { shape: 'hv' } }

/** From nothing at all to what most figures have, each a little more than the one before. */
const STAGES: readonly { readonly data: Data[]; readonly layout: Partial<Layout> }[] = [
  { data: [], layout: HIDDEN },
  { data: [{ type: 'scatter', mode: 'lines', x: [1, 2], y: [1, 2] }], layout: HIDDEN },
  { data: [], layout: { ...HIDDEN, ...MARKS } },
  { data: [], layout: AXES },
  { data: [LINE, LINE], layout: AXES },
  { data: [LINE, LINE], layout: { ...AXES, ...MARKS } },
]

/**
 * Draws a few figures that nobody sees, one task each. A first drawing takes three times as long as a later one, and in
 * one piece it would hold up the page; what it prepares is prepared here, while the first results are computed.
 */
export async function warmUp(plotly: PlotlyApi): Promise<void> {
  const host = document.createElement('div')
  host.setAttribute('aria-hidden', 'true')
  Object.assign(host.style, { position: 'fixed', visibility: 'hidden', width: '240px', height: '160px' })
  document.body.append(host)
  try {
    for (const { data, layout } of STAGES) {
      // A timer rather than a frame: a page in the background has no frames.
      await new Promise((resolve) => setTimeout(resolve))
      await plotly.react(host, data, structuredClone(layout), plotConfig(false))
    }
  } finally {
    plotly.purge(host)
    host.remove()
  }
}
