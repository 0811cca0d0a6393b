import type { Annotations, Data, Shape } from '../../types/plotly-figure'
import type { Histogram, MethodResult } from '../experiment/result'
import type { FigureOptions, TileFigure } from './figure'
import { formatCount, formatMagnitude, formatPercent, formatSignificant } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle, REFERENCE_COLOUR } from './method-style'
import { describeResult } from './profile-words'
import { type Bins, ownBinWidth, rebin } from './rebin'
import { profileScales } from './shared-scales'
import { axis, baseLayout, cornerNote, THEME_COLOURS, TICK_SIZE, withOpacity } from './theme'

/** Where the count axis starts: below one element, so that a single one still shows. Empty bins lie on it. */
export const COUNT_FLOOR = 0.8
const AXIS_MARGIN = 1.04
const HEADROOM = 1.6

/** Histogram of what is quantized: activations after the transform, before rounding. Figure 5 of the paper, live. */
export const distribution: TileFigure = {
  id: 'distribution',
  label: 'Distribution',
  scope: 'tile',
  question: 'How does the method reshape the activations that are quantized?',
  build(result, shown) {
    const options = axesOf(result, shown)
    const { theme, scales, reference } = options
    const { colour } = methodStyle(result.method, theme)
    const bins = occupied(rebin(result.profile.histogram, sharedWidth(options)))
    const isReference = reference === null || reference.method === result.method
    const data = [countLine(bins, result.profile.count, colour)]
    if (!isReference) data.push(ghostLine(reference.profile.histogram, options))
    const limit = scales.maxAbsolute * AXIS_MARGIN
    const countRange = { min: COUNT_FLOOR, max: scales.maxCount * (sharedWidth(options) / scales.binWidth) * HEADROOM }
    return {
      data,
      layout: {
        ...baseLayout(theme),
        xaxis: axis(theme, 'value after transform [unit of X]', { range: [-limit, limit], nticks: 7, showgrid: false }),
        yaxis: axis(theme, 'elements per bin, log', {
          type: 'log',
          range: logRange(countRange),
          ...logTicks(countRange),
        }),
        shapes: [-1, 1].map((side) => maximumRule(side * result.profile.maxAbsolute, options)),
        annotations: [
          maximumNote(result.profile.maxAbsolute, options),
          ...(isOwn(shown) ? [cornerNote(theme, OWN_AXES)] : []),
          ...(isReference ? [] : [cornerNote(theme, '┈ as loaded')]),
        ],
      },
    }
  },
  describe(result, options) {
    const words = describeResult(result, options.reference)
    return isOwn(options) ? `${words} The axes are its own.` : words
  },
  table(result, shown) {
    const options = axesOf(result, shown)
    const bins = occupied(rebin(result.profile.histogram, sharedWidth(options)))
    return {
      columns: ['from [unit of X]', 'to [unit of X]', 'elements', 'share'],
      rows: bins.counts.flatMap((count, i) => {
        const from = bins.start + i * bins.binWidth
        const share = formatPercent((100 * count) / result.profile.count)
        return count > 0 ? [[edge(from), edge(from + bins.binWidth), formatCount(count), share]] : []
      }),
    }
  },
}

const OWN_AXES = 'own axes'
const isOwn = ({ axes }: FigureOptions) => axes === 'own'

/**
 * The options as the drawing of one result takes them. On axes of its own a distribution stands alone: what is drawn
 * behind it elsewhere would need the width of its bins.
 */
function axesOf(result: MethodResult, options: FigureOptions): FigureOptions {
  if (!isOwn(options)) return options
  return { ...options, scales: { ...options.scales, ...profileScales([result.profile]) }, reference: null }
}

/** Neighbouring edges must not read alike. */
const edge = (value: number) => formatSignificant(value, 5)

/** One bin width for all tiles and the dotted line, whose method may not be among the tiles. */
function sharedWidth({ scales, reference }: FigureOptions): number {
  return Math.max(scales.binWidth, reference ? ownBinWidth(reference.profile.histogram) : 0)
}

/** The bins from the first to the last that is not empty, with one empty bin on either side to close the line. */
export function occupied(bins: Bins): Bins {
  const first = bins.counts.findIndex((count) => count > 0)
  if (first < 0) return { ...bins, counts: [] }
  const last = bins.counts.findLastIndex((count) => count > 0)
  return {
    ...bins,
    start: bins.start + (first - 1) * bins.binWidth,
    counts: [0, ...bins.counts.slice(first, last + 1), 0],
  }
}

/** Middles of bins, and their counts where a log axis can show them. */
export const centres = (bins: Bins) => bins.counts.map((_, i) => bins.start + (i + 0.5) * bins.binWidth)
export const heights = (bins: Bins) => bins.counts.map((count) => Math.max(count, COUNT_FLOOR))

function countLine(bins: Bins, total: number, colour: string): Data {
  return {
    type: 'scatter',
    mode: 'lines',
    x: centres(bins),
    y: heights(bins),
    customdata: bins.counts.map((count) => [count, count / total]),
    line: { shape: 'hvh', width: 1.25, color: colour },
    fill: 'tozeroy',
    fillcolor: withOpacity(colour, 0.25),
    hoveron: 'points',
    hovertemplate: '%{x:.3r} [unit of X]<br>%{customdata[0]:,} elements, %{customdata[1]:.2p}<extra></extra>',
  }
}

function ghostLine(histogram: Histogram, options: FigureOptions): Data {
  const bins = occupied(rebin(histogram, sharedWidth(options)))
  return {
    type: 'scatter',
    mode: 'lines',
    name: 'activations as loaded',
    x: centres(bins),
    y: heights(bins),
    line: { shape: 'hvh', width: 1, dash: 'dot', color: REFERENCE_COLOUR[options.theme] },
    opacity: 0.7,
    hoverinfo: 'skip',
  }
}

function maximumRule(x: number, { theme }: FigureOptions): Partial<Shape> {
  const line = { color: THEME_COLOURS[theme].rule, width: 1 }
  return { type: 'line', xref: 'x', yref: 'paper', x0: x, x1: x, y0: 0, y1: 1, line }
}

function maximumNote(maxAbsolute: number, { theme, scales }: FigureOptions): Partial<Annotations> {
  return {
    text: `max ${formatMagnitude(maxAbsolute)}`,
    x: maxAbsolute,
    y: 1,
    xref: 'x',
    yref: 'paper',
    xanchor: maxAbsolute > scales.maxAbsolute / 2 ? 'right' : 'left',
    yanchor: 'bottom',
    showarrow: false,
    font: { size: TICK_SIZE, color: THEME_COLOURS[theme].mutedInk },
  }
}
