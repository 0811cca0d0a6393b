// Our own bundle: Plotly's core (which draws scatter), bar and heatmap. Loaded lazily, see plotly-loader.ts.

import bar from 'plotly.js/lib/bar'
import Plotly from 'plotly.js/lib/core'
import heatmap from 'plotly.js/lib/heatmap'

Plotly.register([bar, heatmap])

export { Plotly }
