/** Where the output error of the loaded layer comes from, channel by channel, before and after a rotation. */
import type { Data, LayoutAxis } from '../../types/plotly-figure'
import type { NoiseAttribution, RotationCauses } from '../experiment/rotation-causes'
import { methodLabel } from './describe'
import type { DataTable, FigureSpec } from './figure'
import { formatCount, formatPercent, formatRelativeError, formatSignificant } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle } from './method-style'
import type { PositiveRange } from './shared-scales'
import { axis, baseLayout, cornerNote, THEME_COLOURS, type Theme, TITLE_SIZE, withOpacity } from './theme'
import { sentences } from './words'

/** `channel`: linear, so that areas are squared errors. `sorted`: largest first, log. */
export type AttributionOrder = 'channel' | 'sorted'

export type Attribution = Pick<RotationCauses, 'before' | 'after' | 'method'>

const BASELINE = 'rtn'
/** Steps across the page: more channels than this share steps, whose height is their mean. */
const MAX_STEPS = 1024
/** Parts of ‖Y‖² are small numbers. */
const PPM = 1e6
/** Shares below the largest by more than this are drawn at the bottom of a log axis. */
const DECADES = 5
/** Sums further than this from what was measured do not say where the error comes from. */
const TRUSTED = 0.15
/** How many channels "the largest" are, in words. */
const LARGEST = 8

/** Squared error of one channel, in ppm of ‖Y‖²: through noise of the weight, and in all. */
interface ChannelShare {
  readonly channel: number
  readonly weight: number
  readonly total: number
}

function sharesOf({ activationNoise, weightNoise, bothNoise }: NoiseAttribution): ChannelShare[] {
  return Array.from(weightNoise, (weight, channel) => ({
    channel,
    weight: PPM * weight,
    total: PPM * (weight + activationNoise[channel] + bothNoise[channel]),
  }))
}

interface Step extends ChannelShare {
  /** Where it begins on the axis. */
  readonly place: number
}

/** Neighbours share a step, whose height is their mean: areas stay what they are. */
function stepsOf(shares: readonly ChannelShare[]): readonly Step[] {
  const perStep = Math.ceil(shares.length / MAX_STEPS)
  return Array.from({ length: Math.ceil(shares.length / perStep) }, (_, step) => {
    const group = shares.slice(step * perStep, (step + 1) * perStep)
    const mean = (key: 'weight' | 'total') => group.reduce((sum, share) => sum + share[key], 0) / group.length
    return { place: step * perStep, channel: group[0].channel, weight: mean('weight'), total: mean('total') }
  })
}

const bySize = (a: ChannelShare, b: ChannelShare) => b.total - a.total

/** Above: rounded as it is. Below: rotated. Both on the same axes. */
export function drawAttribution(causes: Attribution, order: AttributionOrder, theme: Theme): FigureSpec {
  const panels = [
    { id: BASELINE, shares: sharesOf(causes.before) },
    { id: causes.method.id, shares: sharesOf(causes.after) },
  ].map(({ id, shares }) => ({ id, steps: stepsOf(order === 'sorted' ? [...shares].sort(bySize) : shares) }))
  const channels = causes.before.weightNoise.length
  const largest = Math.max(...panels.flatMap(({ steps }) => steps.map(({ total }) => total)))
  const most = largest > 0 ? largest : 1
  const least = Math.min(
    ...panels.flatMap(({ steps }) => steps.flatMap(({ total }) => (total > 0 ? [total] : []))),
    most,
  )
  // Twice as far where all are the same: a log axis of no length has no ticks.
  const range = { min: Math.max(Math.min(least, most / 2), most / 10 ** DECADES), max: most }
  const yAxis = (domain: [number, number]) => shareAxis(order, range, domain, theme)
  return {
    data: panels.flatMap(({ id, steps }, i) => areas(id, steps, { order, yaxis: i === 0 ? 'y' : 'y2', theme })),
    layout: {
      ...baseLayout(theme),
      xaxis: axis(theme, order === 'sorted' ? 'channel, largest first' : 'channel', {
        range: [0, channels],
        nticks: 8,
        showgrid: false,
        anchor: 'y2',
      }),
      yaxis: yAxis([0.55, 1]),
      yaxis2: yAxis([0, 0.45]),
      annotations: [
        cornerNote(theme, `${nameOf(BASELINE)}: ${errorText(causes.before, order)}`),
        { ...cornerNote(theme, `${nameOf(causes.method.id)}: ${errorText(causes.after, order)}`), y: 0.45 },
        {
          text: `squared error per channel [ppm of ‖Y‖²]${order === 'sorted' ? ', log' : ''}`,
          textangle: '-90',
          x: 0,
          xshift: -52,
          y: 0.5,
          xref: 'paper',
          yref: 'paper',
          xanchor: 'center',
          yanchor: 'middle',
          showarrow: false,
          font: { size: TITLE_SIZE, color: THEME_COLOURS[theme].mutedInk },
        },
      ],
      margin: { l: 64, r: 12, t: 22, b: 8 },
    },
  }
}

const nameOf = (id: string) => `${methodStyle(id, 'light').glyph} ${methodLabel(id)}`
/** The sums take errors of different channels as uncorrelated: true when that is far from what was measured. */
const misses = ({ predicted, measured }: NoiseAttribution) => Math.abs(predicted / measured - 1) > TRUSTED

function errorText(attribution: NoiseAttribution, order: AttributionOrder): string {
  const predicted = formatRelativeError(attribution.predicted)
  if (misses(attribution)) {
    return `predicted error ${predicted}, measured ${formatRelativeError(attribution.measured)}: do not read the areas`
  }
  return `predicted error ${predicted}${order === 'channel' ? ', the root of the area' : ''}`
}

/** One title stands beside both panels. */
function shareAxis(
  order: AttributionOrder,
  range: PositiveRange,
  domain: [number, number],
  theme: Theme,
): Partial<LayoutAxis> {
  if (order === 'channel') return axis(theme, '', { range: [0, 1.05 * range.max], nticks: 4, domain })
  return axis(theme, '', { type: 'log', range: logRange(range, 0.05), ...logTicks(range), domain })
}

interface AreaLook {
  readonly order: AttributionOrder
  readonly yaxis: 'y' | 'y2'
  readonly theme: Theme
}

/** By channel: pale what comes from noise of the weight, above it what comes from noise of the activations. */
function areas(id: string, steps: readonly Step[], { order, yaxis, theme }: AreaLook): Data[] {
  const { colour, label } = methodStyle(id, theme)
  const area = (name: string, key: 'weight' | 'total', opacity: number, fill: 'tozeroy' | 'tonexty'): Data => ({
    type: 'scatter',
    mode: 'lines',
    name: `${label}, ${name}`,
    x: steps.map(({ place }) => place),
    y: steps.map((share) => (order === 'sorted' && !(share[key] > 0) ? null : share[key])),
    yaxis,
    line: { color: colour, width: key === 'total' ? 1 : 0, shape: 'hv' },
    fill,
    fillcolor: withOpacity(colour, opacity),
    customdata: steps.map(({ channel }) => channel),
    hovertemplate: `${label}<br>channel %{customdata}<br>${name}: %{y:.3r} ppm<extra></extra>`,
  })
  // On a log axis parts do not add up to an area.
  if (order === 'sorted') return [area('both noises', 'total', 0.3, 'tozeroy')]
  return [area('noise of W', 'weight', 0.25, 'tozeroy'), area('both noises', 'total', 0.6, 'tonexty')]
}

/** Share of the squared error in the LARGEST channels that have most of it, 0 … 100; NaN where there is no error. */
export function largestPercent(attribution: NoiseAttribution): number {
  const totals = sharesOf(attribution).sort(bySize)
  const sum = (shares: readonly ChannelShare[]) => shares.reduce((all, { total }) => all + total, 0)
  return (100 * sum(totals.slice(0, LARGEST))) / sum(totals)
}

/** The finding in words: whether the rotation spreads the error over more channels or gathers it. */
export function describeAttribution({ before, after, method }: Attribution): string {
  const name = methodLabel(method.id)
  const [plain, rotated] = [before, after].map(largestPercent)
  const missed = [...(misses(before) ? ['RTN'] : []), ...(misses(after) ? [name] : [])]
  const warning =
    missed.length === 0
      ? null
      : `under ${missed.join(' and ')} errors of different channels add up or cancel: the sums miss the measured error by more than 15 %, do not read the areas`
  return sentences([spreadWords(name, plain, rotated), warning ?? 'pale is noise of W, full is noise of X'])
}

function spreadWords(name: string, plain: number, rotated: number): string {
  const share = `the ${LARGEST} channels with most of it make`
  const [from, to] = [plain, rotated].map((percent) => (Number.isFinite(percent) ? formatPercent(percent) : '–'))
  if (from === to)
    return `${name} leaves the noise as spread as it is: ${share} ${to} of the predicted squared error, under RTN and after`
  if (from === '–' || to === '–')
    return `the ${LARGEST} noisiest channels make ${from} of the predicted squared error under RTN, ${to} after ${name}`
  const verb = rotated < plain ? 'spreads the noise over more channels' : 'gathers the noise in fewer channels'
  return `${name} ${verb}: ${share} ${from} of the predicted squared error under RTN, ${to} after`
}

export function attributionTable({ before, after, method }: Attribution): DataTable {
  const name = methodLabel(method.id)
  const [plain, rotated] = [sharesOf(before), sharesOf(after)]
  const number = (value: number) => (Number.isFinite(value) ? formatSignificant(value, 3) : '–')
  return {
    columns: [
      'channel',
      'RTN, noise of W [ppm of ‖Y‖²]',
      'RTN, both [ppm of ‖Y‖²]',
      `${name}, noise of W [ppm of ‖Y‖²]`,
      `${name}, both [ppm of ‖Y‖²]`,
    ],
    rows: plain.map(({ channel, weight, total }, i) => [
      formatCount(channel),
      number(weight),
      number(total),
      number(rotated[i]?.weight ?? Number.NaN),
      number(rotated[i]?.total ?? Number.NaN),
    ]),
  }
}
