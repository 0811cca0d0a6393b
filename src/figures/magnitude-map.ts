import type { Data } from '../../types/plotly-figure'
import type { TileFigure } from './figure'
import { cellGrid, cellTable, describeCells, logCellRange, logCells, logColourBar } from './magnitude-cells'
import { axis, baseLayout } from './theme'

/** The numbers of the surface seen from above: largest |x| per cell, token by channel. */
export const magnitudeMap: TileFigure = {
  id: 'magnitude-map',
  label: 'Map',
  scope: 'tile',
  question: 'In which channels and tokens are the outliers, and where does the method move them?',
  build(result, options) {
    const { theme, scales } = options
    const grid = cellGrid(result.profile.map)
    const [zmin, zmax] = logCellRange(options)
    const heatmap: Data = {
      type: 'heatmap',
      x: grid.channels,
      y: grid.tokens,
      z: logCells(grid.values, scales.cells),
      customdata: grid.values,
      zmin,
      zmax,
      colorscale: 'Cividis',
      colorbar: logColourBar(theme, scales.cells),
      hovertemplate: 'channel %{x:.0f}, token %{y:.0f}<br>|x| up to %{customdata:.3r} [unit of X]<extra></extra>',
    }
    return {
      data: [heatmap],
      layout: {
        ...baseLayout(theme),
        margin: { l: 8, r: 12, t: 4, b: 8 },
        xaxis: axis(theme, 'channel', { showgrid: false, nticks: 6 }),
        yaxis: axis(theme, 'token', { showgrid: false, nticks: 6, autorange: 'reversed' }),
      },
    }
  },
  describe: describeCells,
  table: cellTable,
}
