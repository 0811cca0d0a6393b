// The words of Plotly's figures, as types only: `src/figures/` uses them without being able to import Plotly itself,
// which stays confined to `src/ui/plot/`.
import type * as Plotly from 'plotly.js'

export type Annotations = Plotly.Annotations
export type Camera = Plotly.Camera
export type ColorBar = Plotly.ColorBar
export type Data = Plotly.Data
export type Layout = Plotly.Layout
export type LayoutAxis = Plotly.LayoutAxis
export type PlotData = Plotly.PlotData
export type Scene = Plotly.Scene
export type Shape = Plotly.Shape

// Attributes that Plotly has and its types lack.
declare module 'plotly.js' {
  interface PlotData {
    /** Whatever the figure says of a trace; here ids of methods (figures/figure.ts). */
    meta: string[]
  }
  interface Annotations {
    name: string
  }
}
