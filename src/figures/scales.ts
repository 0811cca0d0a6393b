import type { Annotations, Data, Shape } from '../../types/plotly-figure'
import type { MethodResult, ScaleHistogram } from '../experiment/result'
import { isMxFormat, methodLabel } from './describe'
import type { FigureOptions, TileFigure } from './figure'
import { formatCount, formatPercent } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, THEME_COLOURS, withOpacity } from './theme'

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
  describe(result) {
    const name = methodLabel(result.method)
    const tensors = tensorsOf(result)
    if (tensors.length === 0) return `${name}: ${whyNoScales(result)}`
    return `${name}: ${tensors.map(([tensor, histogram]) => tensorWords(tensor, histogram)).join('; ')}`
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

function tensorWords(tensor: string, { firstExponent, counts, zeroBlocks, blocks }: ScaleHistogram): string {
  const zeros = zeroBlocks > 0 ? `, ${formatCount(zeroBlocks)} all-zero blocks` : ''
  if (counts.length === 0) return `${tensor} has no block with a scale${zeros}`
  const common = counts.reduce((best, count, i) => (count > counts[best] ? i : best), 0)
  const [first, last, most] = [0, counts.length - 1, common].map((i) => formatCount(firstExponent + i))
  return `${tensor} exponents from ${first} to ${last}, ${most} in ${share(counts[common], blocks)} of the blocks${zeros}`
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
