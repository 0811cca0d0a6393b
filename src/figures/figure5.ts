/**
 * Figure 5 of arXiv 2601.09555 for one tensor: what it was as loaded and what each method makes of it, as small multiples. A
 * row is a method (or the tensor as loaded), a column is one of the figures below.
 */
import type { Data } from '../../types/plotly-figure'
import type { ActivationProfile, Histogram } from '../experiment/result'
import { COUNT_FLOOR, centres, heights, occupied } from './distribution'
import { channelPoints } from './envelope'
import type { DataTable, FigureSpec } from './figure'
import { formatCount, formatMagnitude, formatPercent, formatSignificant } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { cellGrid, logCells, mapTable } from './magnitude-cells'
import { methodStyle, REFERENCE_COLOUR } from './method-style'
import { KURTOSIS, LARGEST, MEDIAN_CHANNEL, type ProfileNumber, reshaping } from './profile-words'
import { ownBinWidth, rebin } from './rebin'
import type { ProfileScales } from './shared-scales'
import { axis, baseLayout, THEME_COLOURS, type Theme, withOpacity } from './theme'
import { medianOf, sentences } from './words'

/** One row. `method` null: the tensor as loaded. */
export interface ProfiledRow {
  readonly method: string | null
  readonly profile: ActivationProfile
  /** Drawn behind it, in the colour of the reference; null: nothing. */
  readonly before: ActivationProfile | null
}

export interface RowOptions {
  readonly theme: Theme
  readonly scales: ProfileScales
  /** The letter of the tensor: "X", "W", "Y". */
  readonly unit: string
  /** What a row of the tensor is: "token", "output row". */
  readonly rowNoun: string
  /** What `before` is, in words. */
  readonly beforeName: string
}

/** Drawn once per row. */
export interface RowFigure {
  /** Stable: used in hooks. */
  readonly id: 'histogram' | 'map' | 'channels' | 'flatness'
  readonly label: string
  readonly question: string
  build(row: ProfiledRow, options: RowOptions): FigureSpec
  describe(row: ProfiledRow, options: RowOptions): string
  table(row: ProfiledRow, options: RowOptions): DataTable
}

const AXIS_MARGIN = 1.04
const HEADROOM = 1.6
const PADDING = 0.08
/** Less room than in a tile: rows stand close, and the heads of the columns say what they show. */
const MARGIN = { l: 4, r: 10, t: 6, b: 4 }

/** How much larger the largest element is than the root mean square of all. NaN when all elements are zero. */
export function crestFactor({ channelRms, maxAbsolute }: ActivationProfile): number {
  const meanSquare = channelRms.reduce((sum, rms) => sum + rms * rms, 0) / channelRms.length
  return maxAbsolute / Math.sqrt(meanSquare)
}

/** Channels by their norm, the largest first; equal ones in their own order. */
export function channelsByNorm({ channelRms }: ActivationProfile): Uint32Array {
  const order = Uint32Array.from(channelRms, (_, channel) => channel)
  return order.sort((a, b) => channelRms[b] - channelRms[a] || a - b)
}

const CREST: ProfileNumber = {
  noun: 'the crest factor',
  format: (value) => formatSignificant(value, 3),
  of: crestFactor,
}
/** Of the rms of a channel, the largest over the one in the middle; NaN where that is 0. */
const UNEVENNESS: ProfileNumber = {
  noun: 'the largest channel rms over the median one',
  format: (value) => formatSignificant(value, 3),
  of: ({ channelRms }) => {
    const median = medianOf(channelRms)
    return median > 0 ? channelRms.reduce((most, rms) => Math.max(most, rms), 0) / median : Number.NaN
  },
}

const nameOf = ({ method }: ProfiledRow) => (method === null ? 'As loaded' : methodStyle(method, 'light').label)

/** What the row makes of what stands behind it, by numbers that the figure shows. */
const describeBy =
  (...numbers: readonly ProfileNumber[]) =>
  (row: ProfiledRow, { beforeName }: RowOptions): string =>
    sentences([reshaping(nameOf(row), { profile: row.profile, before: row.before, beforeName }, numbers)])

const largestChannelOf = ({ channelMax }: ActivationProfile) =>
  channelMax.reduce((best, value, i) => (value > channelMax[best] ? i : best), 0)

function colourOf({ method }: ProfiledRow, theme: Theme): string {
  return method === null ? REFERENCE_COLOUR[theme] : methodStyle(method, theme).colour
}

/** Everything of a dotted line behind a row's own. */
const ghost = (theme: Theme, name: string) =>
  ({
    type: 'scatter',
    mode: 'lines',
    name,
    opacity: 0.7,
    hoverinfo: 'skip',
    line: { width: 1, dash: 'dot', color: REFERENCE_COLOUR[theme] },
  }) satisfies Data

function histogramBins(histogram: Histogram, { scales }: RowOptions) {
  return occupied(rebin(histogram, Math.max(scales.binWidth, ownBinWidth(histogram))))
}

/** How many elements have which value. */
const histogram: RowFigure = {
  id: 'histogram',
  label: 'Histogram',
  question: 'How does the method reshape the values that are quantized?',
  build(row, options) {
    const { theme, scales, unit } = options
    const bins = histogramBins(row.profile.histogram, options)
    const colour = colourOf(row, theme)
    const limit = scales.maxAbsolute * AXIS_MARGIN
    const countRange = { min: COUNT_FLOOR, max: scales.maxCount * HEADROOM }
    const own: Data = {
      type: 'scatter',
      mode: 'lines',
      x: centres(bins),
      y: heights(bins),
      customdata: bins.counts.map((count) => [count, count / row.profile.count]),
      line: { shape: 'hvh', width: 1.25, color: colour },
      fill: 'tozeroy',
      fillcolor: withOpacity(colour, 0.25),
      hoveron: 'points',
      hovertemplate: `%{x:.3r} [unit of ${unit}]<br>%{customdata[0]:,} elements, %{customdata[1]:.2p}<extra></extra>`,
    }
    return {
      data: [own, ...ghostBins(row, options)],
      layout: {
        ...baseLayout(theme),
        margin: MARGIN,
        xaxis: axis(theme, `value [unit of ${unit}]`, { range: [-limit, limit], nticks: 6, showgrid: false }),
        yaxis: axis(theme, 'elements, log', { type: 'log', range: logRange(countRange), ...logTicks(countRange) }),
        shapes: [-1, 1].map((side) => ({
          type: 'line',
          xref: 'x',
          yref: 'paper',
          x0: side * row.profile.maxAbsolute,
          x1: side * row.profile.maxAbsolute,
          y0: 0,
          y1: 1,
          line: { color: THEME_COLOURS[theme].rule, width: 1 },
        })),
      },
    }
  },
  describe: describeBy(LARGEST, KURTOSIS, CREST),
  table(row, options) {
    const bins = histogramBins(row.profile.histogram, options)
    const edge = (i: number) => formatSignificant(bins.start + i * bins.binWidth, 5)
    return {
      columns: [`from [unit of ${options.unit}]`, `to [unit of ${options.unit}]`, 'elements', 'share'],
      rows: bins.counts.flatMap((count, i) =>
        count > 0 ? [[edge(i), edge(i + 1), formatCount(count), formatPercent((100 * count) / row.profile.count)]] : [],
      ),
    }
  },
}

function ghostBins({ before }: ProfiledRow, options: RowOptions): Data[] {
  if (!before) return []
  const bins = histogramBins(before.histogram, options)
  const line = ghost(options.theme, options.beforeName)
  return [{ ...line, x: centres(bins), y: heights(bins), line: { ...line.line, shape: 'hvh' } }]
}

/** Largest magnitudes by row and channel. */
const map: RowFigure = {
  id: 'map',
  label: 'Magnitudes',
  question: 'In which rows and channels are the outliers, and where does the method move them?',
  build({ profile }, { theme, scales, unit, rowNoun }) {
    const grid = cellGrid(profile.map)
    const [zmin, zmax] = logRange(scales.cells)
    const cells: Data = {
      type: 'heatmap',
      x: grid.channels,
      y: grid.tokens,
      z: logCells(grid.values, scales.cells),
      customdata: grid.values,
      zmin,
      zmax,
      colorscale: 'Cividis',
      // The page shows the colours once, beside the rows.
      showscale: false,
      hovertemplate: `channel %{x:.0f}, ${rowNoun} %{y:.0f}<br>|x| up to %{customdata:.3r} [unit of ${unit}]<extra></extra>`,
    }
    return {
      data: [cells],
      layout: {
        ...baseLayout(theme),
        margin: MARGIN,
        xaxis: axis(theme, 'channel', { range: channelRange(profile), showgrid: false, nticks: 6 }),
        yaxis: axis(theme, rowNoun, { showgrid: false, nticks: 4, range: [profile.map.tokens - 0.5, -0.5] }),
      },
    }
  },
  describe: describeBy(LARGEST, CREST),
  table: ({ profile }, { unit, rowNoun }) => mapTable(profile.map, unit, rowNoun),
}

const channelRange = ({ channelMax }: ActivationProfile): [number, number] => [-0.5, channelMax.length - 0.5]

function magnitudeAxes({ theme, scales, unit }: RowOptions, title: string, profile: ActivationProfile) {
  return {
    ...baseLayout(theme),
    margin: MARGIN,
    // The page reads the channel under the pointer out itself, in every row at once.
    hovermode: false as const,
    xaxis: axis(theme, title, { range: channelRange(profile), nticks: 6, showgrid: false }),
    yaxis: axis(theme, `|x| [unit of ${unit}], log`, {
      type: 'log',
      range: logRange(scales.channels, PADDING),
      ...logTicks(scales.channels),
    }),
  }
}

/** Maximum and root mean square of every channel; behind them the maximum before. */
const channels: RowFigure = {
  id: 'channels',
  label: 'Channels',
  question: 'Which channels are large, all the time or for single rows?',
  build(row, options) {
    const { theme } = options
    const { profile, before } = row
    const line = (values: Float32Array, name: string, style: { color: string; width: number }): Data => {
      const { channels: x, magnitudes: y } = channelPoints(values)
      return { type: 'scatter', mode: 'lines', name, x, y, line: style }
    }
    const behind = before && channelPoints(before.channelMax)
    return {
      data: [
        ...(behind ? [{ ...ghost(theme, options.beforeName), x: behind.channels, y: behind.magnitudes }] : []),
        line(profile.channelMax, 'maximum', { color: colourOf(row, theme), width: 1.5 }),
        line(profile.channelRms, 'rms', { color: THEME_COLOURS[theme].mutedInk, width: 1 }),
      ],
      layout: magnitudeAxes(options, 'channel', profile),
    }
  },
  describe(row, options) {
    const trend = describeBy(LARGEST, MEDIAN_CHANNEL)(row, options)
    if (row.profile.maxAbsolute === 0) return trend
    return `${trend} The largest is channel ${largestChannelOf(row.profile)}.`
  },
  table({ profile: { channelMax, channelRms } }, { unit }) {
    return {
      columns: ['channel', `maximum |x| [unit of ${unit}]`, `rms [unit of ${unit}]`],
      rows: Array.from(channelMax, (max, i) => [String(i), formatMagnitude(max), formatMagnitude(channelRms[i])]),
    }
  },
}

/** Root mean squares of the channels, sorted downwards: level where no channel stands out. */
const flatness: RowFigure = {
  id: 'flatness',
  label: 'Flatness',
  question: 'How evenly is the energy spread over the channels?',
  build(row, options) {
    const { theme } = options
    const ranked = sortedPoints(row.profile)
    const behind = row.before && sortedPoints(row.before)
    return {
      data: [
        ...(behind ? [{ ...ghost(theme, options.beforeName), x: behind.ranks, y: behind.magnitudes }] : []),
        {
          type: 'scatter',
          mode: 'lines',
          name: 'rms',
          x: ranked.ranks,
          y: ranked.magnitudes,
          line: { color: colourOf(row, theme), width: 1.5 },
        },
      ],
      layout: magnitudeAxes(options, 'channel, by rms', row.profile),
    }
  },
  describe: describeBy(UNEVENNESS),
  table({ profile }, { unit }) {
    return {
      columns: ['rank', 'channel', `rms [unit of ${unit}]`],
      rows: Array.from(channelsByNorm(profile), (channel, rank) => [
        String(rank),
        String(channel),
        formatMagnitude(profile.channelRms[channel]),
      ]),
    }
  },
}

/** Ranks with their rms, thinned to what a line may have. */
function sortedPoints(profile: ActivationProfile) {
  const order = channelsByNorm(profile)
  const { channels: ranks, magnitudes } = channelPoints(
    Float32Array.from(order, (channel) => profile.channelRms[channel]),
  )
  return { ranks, magnitudes }
}

/** In column order; the last two share a column. */
export const ROW_FIGURES: readonly RowFigure[] = [histogram, map, channels, flatness]
