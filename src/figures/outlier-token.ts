/** The token of the loaded layer most ruled by one channel: its values before and after a rotation, and how often each occurs. */
import type { Data, LayoutAxis } from '../../types/plotly-figure'
import type { TokenState } from '../experiment/outlier-token'
import type { RotationCauses } from '../experiment/rotation-causes'
import { methodLabel } from './describe'
import type { DataTable, FigureSpec } from './figure'
import { formatCount, formatKurtosis, formatMagnitude, formatPercent } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, type Theme, withOpacity } from './theme'
import { changesInWords, sentences } from './words'

export type DrawnToken = Pick<RotationCauses, 'token' | 'method'>

const BASELINE = 'rtn'
const MAX_POINTS = 4096
const BINS = 49
/** Empty bins lie below. */
const LEAST_COUNT = 0.8

/** Left: every channel's value. Right: how many channels have it. Above as it is, below rotated, each on its own axis. */
export function drawOutlierToken({ token, method }: DrawnToken, theme: Theme): FigureSpec {
  const rows = [
    { id: BASELINE, state: token.before, y: 'y', x: 'x', histogram: 'x2' },
    { id: method.id, state: token.after, y: 'y2', x: 'x', histogram: 'x2' },
  ] as const
  const counts = rows.map(({ state }) => histogramOf(state.values))
  const most = Math.max(...counts.flatMap((bins) => bins.counts))
  const channels = token.before.values.length
  const [upper, lower] = rows.map(({ state }) => extentOf(state.values))
  return {
    data: rows.flatMap(({ id, state, y }, i) => [valuesOf(id, state, y, theme), barsOf(id, counts[i], y, theme)]),
    layout: {
      ...baseLayout(theme),
      margin: { l: 8, r: 12, t: 22, b: 8 },
      bargap: 0,
      xaxis: axis(theme, 'channel', {
        range: [-0.5, channels - 0.5],
        nticks: 6,
        showgrid: false,
        domain: [0, 0.68],
        anchor: 'y2',
      }),
      xaxis2: axis(theme, 'channels, log', {
        type: 'log',
        range: [Math.log10(LEAST_COUNT), Math.log10(1.3 * most)],
        dtick: 1,
        showgrid: false,
        domain: [0.74, 1],
        anchor: 'y2',
      }),
      yaxis: valueAxis(upper, [0.56, 1], theme),
      yaxis2: valueAxis(lower, [0, 0.44], theme),
      annotations: [
        cornerNote(theme, `as it is: kurtosis ${kurtosisText(token.before)}`),
        { ...cornerNote(theme, `after ${methodLabel(method.id)}: kurtosis ${kurtosisText(token.after)}`), y: 0.44 },
      ],
    },
  }
}

const kurtosisText = ({ kurtosis }: TokenState) => (Number.isFinite(kurtosis) ? formatKurtosis(kurtosis) : '–')

function extentOf(values: Float32Array): number {
  const most = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  return most > 0 ? 1.08 * most : 1
}

function valueAxis(extent: number, domain: [number, number], theme: Theme): Partial<LayoutAxis> {
  return axis(theme, 'value [unit of X]', { range: [-extent, extent], nticks: 5, zeroline: true, domain })
}

/** Neighbouring channels share a point, the largest of them, where there are too many. */
function valuesOf(id: string, { values }: TokenState, yaxis: 'y' | 'y2', theme: Theme): Data {
  const { colour, label } = methodStyle(id, theme)
  const perPoint = Math.ceil(values.length / MAX_POINTS)
  const channels: number[] = []
  for (let first = 0; first < values.length; first += perPoint) {
    let best = first
    for (let at = first; at < Math.min(first + perPoint, values.length); at++) {
      if (Math.abs(values[at]) > Math.abs(values[best])) best = at
    }
    channels.push(best)
  }
  return {
    type: 'scatter',
    mode: 'markers',
    name: `${label}, values`,
    x: channels,
    y: channels.map((channel) => values[channel]),
    yaxis,
    marker: { color: colour, size: 3 },
    hovertemplate: 'channel %{x}<br>%{y:.3r} [unit of X]<extra></extra>',
  }
}

interface Bins {
  readonly width: number
  readonly centres: readonly number[]
  readonly counts: readonly number[]
}

/** Counts of an odd number of bins over ± the largest magnitude, so that zero is in the middle of one. */
function histogramOf(values: Float32Array): Bins {
  const extent = extentOf(values)
  const width = (2 * extent) / BINS
  const counts = new Array<number>(BINS).fill(0)
  for (const value of values) {
    const bin = Math.floor((value + extent) / width)
    if (bin >= 0 && bin < BINS) counts[bin] += 1
  }
  return { width, centres: counts.map((_, i) => -extent + (i + 0.5) * width), counts }
}

function barsOf(id: string, { centres, counts, width }: Bins, yaxis: 'y' | 'y2', theme: Theme): Data {
  const { colour, label } = methodStyle(id, theme)
  return {
    type: 'bar',
    orientation: 'h',
    name: `${label}, histogram`,
    x: [...counts],
    y: [...centres],
    width,
    xaxis: 'x2',
    yaxis,
    marker: { color: withOpacity(colour, 0.6), line: { color: colour, width: 1 } },
    hovertemplate: 'about %{y:.3r} [unit of X]<br>%{x:,} channels<extra></extra>',
  }
}

/** What the rotation makes of the token, and of the rounding error of its other channels. */
export function describeOutlierToken({ token, method }: DrawnToken): string {
  const { before, after } = token
  const name = methodLabel(method.id)
  const kurtosis = changesInWords([
    { noun: 'its kurtosis', from: before.kurtosis, to: after.kurtosis, format: formatKurtosis },
  ])
  const held = `in evaluation token ${formatCount(token.token)} channel ${formatCount(token.channel)} holds ${percent(before.largestShare)} of the energy`
  const others = [before.otherChannelsError, after.otherChannelsError].every(
    (error) => Number.isFinite(error) && error >= 0,
  )
  const errors =
    others && before.otherChannelsError + after.otherChannelsError > 0
      ? changesInWords([
          {
            noun: 'the rounding error of its other channels',
            from: before.otherChannelsError,
            to: after.otherChannelsError,
            format: percent,
          },
        ])
      : null
  return sentences([
    kurtosis === null ? held : `${held}; ${name} ${kurtosis} (two-valued: 1)`,
    errors === null ? null : `${name} ${errors} of their norm`,
  ])
}

const percent = (share: number) => formatPercent(100 * share)

export function outlierTokenTable({ token, method }: DrawnToken): DataTable {
  return {
    columns: ['channel', 'as it is [unit of X]', `after ${methodLabel(method.id)} [unit of X]`],
    rows: Array.from(token.before.values, (value, channel) => [
      formatCount(channel),
      formatMagnitude(value),
      formatMagnitude(token.after.values[channel] ?? Number.NaN),
    ]),
  }
}
