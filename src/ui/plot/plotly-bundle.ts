// Our own bundle: Plotly's core (which draws scatter) and heatmap. Loaded lazily, see plotly-loader.ts.
import Plotly from 'plotly.js/lib/core'
import heatmap from 'plotly.js/lib/heatmap'

Plotly.register(heatmap)

export { Plotly }
