import type { Data, PlotData, Scene } from '../../types/plotly-figure'
import type { FigureOptions, FigureSpec, TileFigure } from './figure'
import { logRange, logTicks } from './log-ticks'
import { cellGrid, cellTable, describeCells, logCellRange, logCells } from './magnitude-cells'
import { baseLayout, cornerNote, THEME_COLOURS, type Theme, TICK_SIZE, TITLE_SIZE } from './theme'

interface Point {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** Where a surface is seen from, in units of the scene's box. */
export interface SurfaceCamera {
  readonly eye: Point
  readonly center: Point
  readonly up: Point
}

/** From above a corner: outlier channels stand as walls along the tokens. */
export const SURFACE_CAMERA: SurfaceCamera = {
  eye: { x: -1.3, y: -1.5, z: 0.95 },
  center: { x: 0, y: 0, z: -0.15 },
  up: { x: 0, y: 0, z: 1 },
}

/** Attributes of a surface that the types of Plotly's general trace leave out. */
interface SurfaceTrace extends Partial<PlotData> {
  readonly surfacecolor: number[][]
  readonly cmin: number
  readonly cmax: number
  readonly lighting: { ambient: number; diffuse: number; specular: number }
}

const LINE_WIDTH = 4
/** A hue that Cividis does not have, against both its ends and in either theme. */
const LINE_COLOUR = '#FF2D78'

/** A channel marked on the surface. */
export interface MarkedChannel {
  readonly channel: number
  /** Channels of the surface are made of several of the layer's input: the same number is not the same channel. */
  readonly mixed: boolean
}

/** The surface with a line along one channel, which the corner names. A channel that is not there marks nothing. */
export function withChannel(figure: FigureSpec, { channel, mixed }: MarkedChannel): FigureSpec {
  const { data, layout } = figure
  const xs = data.flatMap((trace) => ('x' in trace ? [...(trace.x as number[])] : []))
  if (channel < Math.min(...xs) || channel > Math.max(...xs)) return figure
  // Lines at start, start + size, … below end: one.
  const [start, size] = [channel, 1]
  const x = { show: true, start, end: start + size, size, width: LINE_WIDTH, color: LINE_COLOUR }
  const named = `channel ${channel}${mixed ? ', mixed' : ''}`
  return {
    // A line where the surface crosses the plane of the channel; Plotly's types know the contours of flat traces only.
    data: data.map((trace) => ({ ...trace, contours: { x } }) as unknown as Data),
    layout: {
      ...layout,
      annotations: layout.annotations?.map((note, at) =>
        at === 0 ? { ...note, text: `${note.text} · ${named}` } : note,
      ),
    },
  }
}

/** Token x channel magnitudes as a landscape, the picture SmoothQuant made known. */
export const surface: TileFigure = {
  id: 'surface',
  label: 'Surface',
  scope: 'tile',
  question: 'How far do outlier channels stand out of the rest, and for which tokens?',
  build(result, options) {
    const { theme, scales, height } = options
    const grid = cellGrid(result.profile.map)
    const log = height === 'log'
    const [cmin, cmax] = logCellRange(options)
    const logs = logCells(grid.values, scales.cells)
    const trace: SurfaceTrace = {
      type: 'surface',
      x: grid.channels,
      y: grid.tokens,
      z: log ? logs : grid.values,
      // The colours of the flat map at either height: on a linear height all but the outliers would be one blue.
      surfacecolor: logs,
      // Plotly offers a surface's text to its hover label, but not its customdata; its types know flat text only.
      text: grid.values as unknown as string[],
      cmin,
      cmax,
      colorscale: 'Cividis',
      showscale: false,
      lighting: { ambient: 0.75, diffuse: 0.5, specular: 0.02 },
      hovertemplate: 'channel %{x:.0f}, token %{y:.0f}<br>|x| up to %{text:.3r} [unit of X]<extra></extra>',
    }
    // The height is named in the corner: beside its axis the name would leave a narrow tile.
    const annotations = [cornerNote(theme, log ? 'height: |x| [unit of X], log' : 'height: |x| [unit of X]')]
    return {
      data: [trace],
      layout: { ...baseLayout(theme), margin: { l: 0, r: 0, t: 18, b: 0 }, scene: scene(options), annotations },
    }
  },
  describe: describeCells,
  table: cellTable,
}

function scene(options: FigureOptions): Partial<Scene> {
  const { theme, scales, height } = options
  const log = height === 'log'
  const ticks = logTicks(scales.cells)
  const zAxis = log
    ? { range: logRange(scales.cells), tickvals: ticks.tickvals.map(Math.log10), ticktext: ticks.ticktext }
    : { range: [0, scales.cells.max], nticks: 5 }
  return {
    camera: SURFACE_CAMERA,
    dragmode: 'turntable',
    aspectmode: 'manual',
    aspectratio: { x: 1.2, y: 1.1, z: 0.75 },
    xaxis: { ...sceneAxis(theme, 'channel'), nticks: 5 },
    yaxis: { ...sceneAxis(theme, 'token'), nticks: 5 },
    zaxis: { ...sceneAxis(theme, ''), ...zAxis },
  }
}

function sceneAxis(theme: Theme, title: string) {
  const { mutedInk, rule, grid } = THEME_COLOURS[theme]
  return {
    title: { text: title, font: { size: TITLE_SIZE, color: mutedInk } },
    tickfont: { size: TICK_SIZE, color: mutedInk },
    gridcolor: grid,
    linecolor: rule,
    zerolinecolor: grid,
    showspikes: false,
    showbackground: false,
  }
}
