import type { Annotations, Data, Shape } from '../../types/plotly-figure'
import type { MethodResult, ScaleHistogram } from '../experiment/result'
import { isMxFormat, methodLabel } from './describe'
import type { FigureOptions, TileFigure } from './figure'
import { formatCount, formatPercent } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, THEME_COLOURS, withOpacity } from './theme'
import { clauses, listed, sentences } from './words'

/** E8M0 holds the powers of two 2^−127 … 2^127. */
const E8M0_LIMIT = 127
const HEADROOM = 1.08
const TICKS = 6

/** How many blocks have which power-of-two scale, after the transform. */
export const scales: TileFigure = {
  id: 'scales',
  label: 'Shared exponents',
  scope: 'tile',
  question: 'How much freedom does the method leave to the scales of single blocks?',
  build(result, options) {
    const { theme } = options
    const { min, max } = options.scales.exponents
    const [activations, weights] = histogramsOf(result)
    const { colour } = methodStyle(result.method, theme)
    const data = [
      ...(activations ? [activationBars(activations, colour)] : []),
      ...(weights ? [weightLine(weights, options)] : []),
    ]
    return {
      data,
      layout: {
        ...baseLayout(theme),
        margin: { l: 8, r: 12, t: 36, b: 8 },
        bargap: 0.1,
        xaxis: axis(theme, 'shared exponent [power of two]', {
          range: [min - 1, max + 1],
          dtick: Math.max(1, Math.ceil((max - min + 2) / TICKS)),
          tick0: 0,
          showgrid: false,
        }),
        yaxis: axis(theme, 'share of blocks [%]', { range: [0, options.scales.blockPercent * HEADROOM], nticks: 5 }),
        shapes: limitRules(options),
        annotations: [note(result, options)],
      },
    }
  },
  describe(result, { reference }) {
    const name = methodLabel(result.method)
    const tensors = tensorsOf(result)
    if (tensors.length === 0) return sentences([`${name}: ${whyNoScales(result)}`])
    const before = reference && reference.method !== result.method ? tensorsOf(reference) : []
    const widths = tensors.map(([tensor, histogram]) => {
      const loaded = before.find(([other]) => other === tensor)?.[1] ?? null
      return spreadWords(tensor, histogram, loaded)
    })
    return sentences([`${name}: ${widths.join('; ')}`, mostFrequent(tensors)])
  },
  table: (result) => ({
    columns: ['tensor', 'exponent', 'blocks', 'share'],
    rows: tensorsOf(result).flatMap(([tensor, { firstExponent, counts, zeroBlocks, blocks }]) => [
      ...counts.flatMap((count, i) =>
        count > 0 ? [[tensor, formatCount(firstExponent + i), formatCount(count), share(count, blocks)]] : [],
      ),
      [tensor, 'all zero', formatCount(zeroBlocks), share(zeroBlocks, blocks)],
    ]),
  }),
}

/** Why a result has no shared exponents to show, as words that follow a name. */
export function whyNoScales({ scaleAnalysis, scaleRule, weightFormat, activationFormat }: MethodResult): string {
  if (scaleAnalysis === null) return 'the scales were not measured'
  const hasMx = isMxFormat(weightFormat) || isMxFormat(activationFormat)
  return hasMx && scaleRule === 'fp32' ? 'fp32 scales are no powers of two' : 'no operand has power-of-two scales'
}

const histogramsOf = ({ scaleAnalysis }: MethodResult) =>
  [scaleAnalysis?.activationScales ?? null, scaleAnalysis?.weightScales ?? null] as const

function tensorsOf(result: MethodResult): readonly (readonly [tensor: string, histogram: ScaleHistogram])[] {
  const [activations, weights] = histogramsOf(result)
  return [...(activations ? [['X′', activations] as const] : []), ...(weights ? [['W′', weights] as const] : [])]
}

const percent = (count: number, blocks: number) => (blocks > 0 ? (100 * count) / blocks : 0)
const share = (count: number, blocks: number) => formatPercent(percent(count, blocks))

/** "X′ takes 5 exponents, −5 to −1, 4 fewer than RTN" */
function spreadWords(tensor: string, { firstExponent, counts }: ScaleHistogram, loaded: ScaleHistogram | null): string {
  if (counts.length === 0) return `${tensor} has no block with a scale`
  const [first, last] = [0, counts.length - 1].map((i) => formatCount(firstExponent + i))
  const range = first === last ? `one exponent, ${first}` : `${counts.length} exponents, ${first} to ${last}`
  if (loaded === null || loaded.counts.length === 0) return `${tensor} takes ${range}`
  const more = counts.length - loaded.counts.length
  const than = more === 0 ? 'as many as' : `${Math.abs(more)} ${more > 0 ? 'more' : 'fewer'} than`
  return `${tensor} takes ${range}, ${than} ${methodLabel('rtn')}`
}

/** "Most frequent is −2 in X′ (47 % of the blocks), … ; 3 blocks of X′ are all zero" */
function mostFrequent(tensors: ReturnType<typeof tensorsOf>): string | null {
  const common = tensors.flatMap(([tensor, { firstExponent, counts, blocks }]) => {
    if (counts.length === 0) return []
    const at = counts.reduce((best, count, i) => (count > counts[best] ? i : best), 0)
    return [`${formatCount(firstExponent + at)} in ${tensor} (${share(counts[at], blocks)} of the blocks)`]
  })
  const zeros = tensors.flatMap(([tensor, { zeroBlocks }]) =>
    zeroBlocks > 0 ? [`${formatCount(zeroBlocks)} of ${tensor}`] : [],
  )
  return clauses([
    common.length > 0 ? `most frequent: ${listed(common)}` : null,
    zeros.length > 0 ? `blocks of zeros only: ${listed(zeros)}` : null,
  ])
}

function activationBars({ firstExponent, counts, blocks }: ScaleHistogram, colour: string): Data {
  return {
    type: 'bar',
    name: 'X′',
    x: counts.map((_, i) => firstExponent + i),
    y: counts.map((count) => percent(count, blocks)),
    customdata: [...counts],
    marker: { color: withOpacity(colour, 0.45), line: { color: colour, width: 1 } },
    hovertemplate: 'X′, exponent %{x}<br>%{customdata:,} blocks, %{y:.2f} %<extra></extra>',
  }
}

/** A step line, closed by an empty exponent on either side. */
function weightLine({ firstExponent, counts, blocks }: ScaleHistogram, { theme }: FigureOptions): Data {
  const padded = [0, ...counts, 0]
  return {
    type: 'scatter',
    mode: 'lines',
    name: 'W′',
    x: padded.map((_, i) => firstExponent - 1 + i),
    y: padded.map((count) => percent(count, blocks)),
    customdata: padded,
    line: { shape: 'hvh', width: 1.5, color: THEME_COLOURS[theme].ink },
    hovertemplate: 'W′, exponent %{x}<br>%{customdata:,} blocks, %{y:.2f} %<extra></extra>',
  }
}

function limitRules({ theme, scales: { exponents } }: FigureOptions): Partial<Shape>[] {
  const line = { color: THEME_COLOURS[theme].rule, width: 1, dash: 'dot' as const }
  return [-E8M0_LIMIT, E8M0_LIMIT]
    .filter((limit) => limit >= exponents.min - 1 && limit <= exponents.max + 1)
    .map((limit) => ({ type: 'line', xref: 'x', yref: 'paper', x0: limit, x1: limit, y0: 0, y1: 1, line }))
}

function note(result: MethodResult, { theme }: FigureOptions): Partial<Annotations> {
  const tensors = tensorsOf(result)
  if (tensors.length === 0) return cornerNote(theme, whyNoScales(result))
  const zeros = tensors.map(([tensor, { zeroBlocks }]) => `${tensor} ${formatCount(zeroBlocks)}`).join(', ')
  return { ...cornerNote(theme, `bars X′, line W′<br>all-zero blocks: ${zeros}`), align: 'left' }
}
