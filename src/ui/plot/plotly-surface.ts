// Adds 3-D surfaces to the bundle; a chunk of its own, loaded when a surface is first shown.
import surface from 'plotly.js/lib/surface'
import { Plotly } from './plotly-bundle'

Plotly.register(surface)

export { Plotly as PlotlyWithSurface }
