import type { Data } from '../../types/plotly-figure'
import type { ActivationProfile, MethodResult } from '../experiment/result'
import type { TileFigure } from './figure'
import { formatMagnitude, formatSignificant } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle } from './method-style'
import { LARGEST, MEDIAN_CHANNEL, reshapingOf } from './profile-words'
import { axis, baseLayout, cornerNote, THEME_COLOURS } from './theme'
import { medianOf, sentences } from './words'

/** No trace has more points; wider layers are drawn as the largest of neighbouring channels. */
const MAX_POINTS = 4096

/** Largest and root-mean-square |x| of every channel. */
export const envelope: TileFigure = {
  id: 'envelope',
  label: 'Channels',
  scope: 'tile',
  question: 'Which channels are large, all the time or for single tokens?',
  build(result, options) {
    const { theme, scales } = options
    const { channelMax, channelRms } = result.profile
    const { colour } = methodStyle(result.method, theme)
    return {
      data: [
        channelLine(channelMax, { name: 'maximum', color: colour, width: 1.5 }),
        channelLine(channelRms, { name: 'rms', color: THEME_COLOURS[theme].mutedInk, width: 1 }),
      ],
      layout: {
        ...baseLayout(theme),
        // The page names the channel under the pointer itself: the one a click pins.
        hovermode: false,
        xaxis: axis(theme, 'channel', { range: [-0.5, channelMax.length - 0.5], nticks: 6, showgrid: false }),
        yaxis: axis(theme, '|x| [unit of X], log', {
          type: 'log',
          range: logRange(scales.channels, 0.08),
          ...logTicks(scales.channels),
        }),
        annotations: [cornerNote(theme, 'upper line: maximum; lower: rms')],
      },
    }
  },
  describe: (result, { reference }) =>
    sentences([reshapingOf(result, reference, [LARGEST, MEDIAN_CHANNEL]), largestChannel(result.profile)]),
  table(result) {
    const { channelMax, channelRms } = result.profile
    return {
      columns: ['channel', 'maximum |x| [unit of X]', 'rms [unit of X]'],
      rows: Array.from(channelMax, (max, i) => [String(i), formatMagnitude(max), formatMagnitude(channelRms[i])]),
    }
  },
}

/** Both values of one channel, a line each. */
export function readChannel({ profile: { channelMax, channelRms } }: MethodResult, channel: number): string {
  return `max ${formatMagnitude(channelMax[channel])}\nrms ${formatMagnitude(channelRms[channel])}`
}

/** "Channel 5 is the largest, 147 times the median channel and 2.9 times its own rms"; null where all are zero. */
function largestChannel({ channelMax, channelRms, maxAbsolute }: ActivationProfile): string | null {
  if (maxAbsolute === 0) return null
  const channel = channelMax.reduce((best, value, i) => (value > channelMax[best] ? i : best), 0)
  const over = (value: number, noun: string) =>
    value > 0 ? [`${formatSignificant(channelMax[channel] / value, 2)} times ${noun}`] : []
  const ratios = [...over(medianOf(channelMax), 'the median channel'), ...over(channelRms[channel], 'its own rms')]
  return `channel ${channel} is the largest${ratios.length > 0 ? `, ${ratios.join(' and ')}` : ''}`
}

/** The points of a line over channels, in axis order; zeros, which a log axis cannot show, are gaps. */
export function channelPoints(values: Float32Array): { channels: number[]; magnitudes: (number | null)[] } {
  const perPoint = Math.ceil(values.length / MAX_POINTS)
  const channels: number[] = []
  const magnitudes: (number | null)[] = []
  for (let first = 0; first < values.length; first += perPoint) {
    const group = values.subarray(first, first + perPoint)
    const at = group.reduce((best, value, i) => (value > group[best] ? i : best), 0)
    channels.push(first + at)
    magnitudes.push(group[at] > 0 ? group[at] : null)
  }
  return { channels, magnitudes }
}

function channelLine(values: Float32Array, line: { name: string; color: string; width: number }): Data {
  const { channels, magnitudes } = channelPoints(values)
  return {
    type: 'scatter',
    mode: 'lines',
    name: line.name,
    x: channels,
    y: magnitudes,
    line: { color: line.color, width: line.width },
  }
}
