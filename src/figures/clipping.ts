import type { Data } from '../../types/plotly-figure'
import type { MethodOutcome, MethodResult, OperandErrors } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { lineName, methodLabel } from './describe'
import type { PanelFigure } from './figure'
import { formatPercent } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, THEME_COLOURS, type Theme, TICK_SIZE } from './theme'
import { listed, sentences } from './words'

const NOTHING = 'No operand is quantized'

/** Of two drawings above each other: the upper one and the lower one, as shares of the height. */
const UPPER: [number, number] = [0.56, 1]
const LOWER: [number, number] = [0, 0.44]
/** Room for the number above the tallest bar. */
const HEADROOM = 1.25
/** The least height of an axis, in percent, so that a few elements do not look like many. */
const LEAST_PERCENT = 0.1

interface Operand {
  readonly result: MethodResult
  readonly tensor: 'W′' | 'X′'
  readonly errors: OperandErrors
}

type Share = 'clippedPercent' | 'flushedPercent'

/** Elements lost at both ends of the grid. */
export const clipping: PanelFigure = {
  id: 'clipping',
  label: 'Clipped and zeroed',
  scope: 'panel',
  question: 'How many elements does the grid cut off at its top, and how many does it lose at its bottom?',
  build(outcomes, { theme }) {
    const operands = operandsOf(outcomes)
    return {
      data:
        operands.length > 0
          ? [bars(operands, 'clippedPercent', 'y', theme), bars(operands, 'flushedPercent', 'y2', theme)]
          : [],
      layout: {
        ...baseLayout(theme),
        bargap: 0.3,
        xaxis: axis(theme, 'method, tensor after the transform', { showgrid: false, anchor: 'y2' }),
        yaxis: axis(theme, 'clipped [%]', { domain: UPPER, range: shareRange(operands, 'clippedPercent'), nticks: 4 }),
        yaxis2: axis(theme, 'zeroed [%]', { domain: LOWER, range: shareRange(operands, 'flushedPercent'), nticks: 4 }),
        annotations: operands.length > 0 ? [] : [cornerNote(theme, NOTHING)],
      },
    }
  },
  describe(outcomes) {
    const operands = operandsOf(outcomes)
    if (operands.length === 0) return sentences([NOTHING])
    return sentences([lossWords(operands, 'flushedPercent'), lossWords(operands, 'clippedPercent')])
  },
  table: (outcomes) => ({
    columns: ['method', 'setting', 'tensor', 'clipped', 'zeroed'],
    rows: operandsOf(outcomes).map(({ result, tensor, errors }) => [
      methodLabel(result.method),
      settingLabel(result.setting),
      tensor,
      formatPercent(errors.clippedPercent),
      formatPercent(errors.flushedPercent),
    ]),
  }),
}

function operandsOf(outcomes: readonly MethodOutcome[]): readonly Operand[] {
  return outcomes.flatMap((outcome): readonly Operand[] => {
    if (outcome.kind === 'failure') return []
    const { weight, activation } = outcome
    return [
      ...(weight ? [{ result: outcome, tensor: 'W′' as const, errors: weight }] : []),
      ...(activation ? [{ result: outcome, tensor: 'X′' as const, errors: activation }] : []),
    ]
  })
}

/** "RTN zeroes 31 % of X′ and nothing of W′" of one method; from the least to the most of several. */
function lossWords(operands: readonly Operand[], share: Share): string {
  const results = [...new Set(operands.map(({ result }) => result))]
  const text = (percent: number) => (percent === 0 ? 'nothing' : formatPercent(percent))
  const said = (['X′', 'W′'] as const).flatMap((tensor) => {
    const own = operands.filter((operand) => operand.tensor === tensor)
    if (own.length === 0) return []
    const sorted = [...own].sort((a, b) => a.errors[share] - b.errors[share])
    const [least, most] = [sorted[0], sorted[sorted.length - 1]]
    const [low, high] = [least, most].map(({ errors }) => text(errors[share]))
    if (own.length === 1 || low === high) return [`${high} of ${tensor}`]
    const [from, to] = [least, most].map(({ result }) => lineName(result, results))
    return [`${low} (${from}) to ${high} (${to}) of ${tensor}`]
  })
  const zeroed = share === 'flushedPercent'
  if (operands.every(({ errors }) => errors[share] === 0)) return `nothing is ${zeroed ? 'zeroed' : 'clipped'}`
  if (results.length === 1) return `${lineName(results[0], results)} ${zeroed ? 'zeroes' : 'clips'} ${listed(said)}`
  return `${zeroed ? 'zeroed' : 'clipped'}: ${listed(said)}`
}

function shareRange(operands: readonly Operand[], share: Share): [number, number] {
  return [0, HEADROOM * Math.max(LEAST_PERCENT, ...operands.map(({ errors }) => errors[share]))]
}

function bars(operands: readonly Operand[], share: Share, yaxis: 'y' | 'y2', theme: Theme): Data {
  const results = operands.map(({ result }) => result)
  return {
    type: 'bar',
    name: share === 'clippedPercent' ? 'clipped' : 'zeroed',
    meta: results.map(({ method }) => method),
    x: [results.map((result) => lineName(result, results)), operands.map(({ tensor }) => tensor)],
    y: operands.map(({ errors }) => errors[share]),
    yaxis,
    marker: { color: results.map((result) => methodStyle(result.method, theme).colour) },
    text: operands.map(({ errors }) => formatPercent(errors[share])),
    textposition: 'outside',
    textangle: 0,
    textfont: { size: TICK_SIZE, color: THEME_COLOURS[theme].ink },
    cliponaxis: false,
    hovertemplate: `%{x}<br>${share === 'clippedPercent' ? 'clipped' : 'zeroed'}: %{text}<extra></extra>`,
  }
}
