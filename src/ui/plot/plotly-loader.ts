import { warmUp } from './warm-up'

export type PlotlyApi = typeof import('plotly.js')

/** Makes a loader that loads once; after a failure (a chunk that did not arrive) the next call tries again. */
function once(load: () => Promise<PlotlyApi>): () => Promise<PlotlyApi> {
  let loading: Promise<PlotlyApi> | null = null
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = null
      throw error
    })
    return loading
  }
}

/** Plotly with everything flat figures need, ready to draw. */
export const loadPlotly = once(async () => {
  const { Plotly } = await import('./plotly-bundle')
  await warmUp(Plotly)
  return Plotly
})

/** The same Plotly, able to draw surfaces. */
export const loadPlotlyWithSurface = once(async () => (await import('./plotly-surface')).PlotlyWithSurface)
