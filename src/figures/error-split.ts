import type { Data } from '../../types/plotly-figure'
import type { MethodOutcome, MethodResult, ScaleAnalysis } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { isMxFormat, lineName, methodLabel, outputRemark } from './describe'
import type { PanelFigure } from './figure'
import { formatPercent, formatRelativeError } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, type Theme, withOpacity } from './theme'

const NOTHING = 'No operand has power-of-two scales to compare with fp32 ones'

type Split = NonNullable<ScaleAnalysis['split']>

/** What becomes of the output error when the scales of `operands` are fp32 instead of powers of two. */
interface Part {
  readonly result: MethodResult
  readonly operands: 'W' | 'X' | 'W + X'
  readonly error: number
  readonly powerOfTwo: number
  /** Share of the squared error that goes away, in percent: negative where fp32 scales are worse. */
  readonly owed: number
}

/** How much of the output's squared error is owed to power-of-two scales: the question of figure 4 of the paper. */
export const errorSplit: PanelFigure = {
  id: 'error-split',
  label: 'Error owed to scales',
  scope: 'panel',
  question: 'How much of the output error comes from power-of-two scales, and how much from the elements?',
  build(outcomes, { theme }) {
    const parts = partsOf(outcomes)
    const all = parts.map(({ result }) => result)
    const x = [parts.map(({ result }) => lineName(result, all)), parts.map(({ operands }) => operands)]
    const text = parts.length > 0 ? 'solid: owed to scales, pale: to elements' : NOTHING
    return {
      data: parts.length > 0 ? [bars(parts, x, 'scales', theme), bars(parts, x, 'elements', theme)] : [],
      layout: {
        ...baseLayout(theme),
        barmode: 'relative',
        bargap: 0.25,
        xaxis: axis(theme, 'method, operands whose scales become fp32', { showgrid: false }),
        yaxis: axis(theme, 'share of squared output error [%]', { nticks: 6, zeroline: true }),
        annotations: [cornerNote(theme, text)],
      },
    }
  },
  describe(outcomes) {
    const parts = partsOf(outcomes)
    if (parts.length === 0) return NOTHING
    const results = [...new Set(parts.map(({ result }) => result))]
    const sentences = results.map((result) => {
      const own = parts.filter((part) => part.result === result)
      const shares = own.map(({ operands, owed }) => `${operands} ${formatPercent(owed)}`)
      return `${lineName(result, results)} ${shares.join(', ')}`
    })
    const finding = `Share of the squared output error owed to power-of-two scales: ${sentences.join('; ')}`
    return [finding, outputRemark(results)].filter((text) => text !== null).join('. ')
  },
  table: (outcomes) => ({
    columns: ['method', 'setting', 'operands', 'error, power-of-two scales', 'error, fp32 scales', 'owed to scales'],
    rows: partsOf(outcomes).map(({ result, operands, powerOfTwo, error, owed }) => [
      methodLabel(result.method),
      settingLabel(result.setting),
      operands,
      formatRelativeError(powerOfTwo),
      formatRelativeError(error),
      formatPercent(owed),
    ]),
  }),
}

/** The operands that have scales to exchange, one after the other and together. */
function partsOf(outcomes: readonly MethodOutcome[]): readonly Part[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.kind === 'failure' || !outcome.scaleAnalysis?.split) return []
    const { split } = outcome.scaleAnalysis
    const [weight, activation] = [outcome.weightFormat, outcome.activationFormat].map(isMxFormat)
    const all: readonly (readonly [Part['operands'], boolean, number])[] = [
      ['W', weight, split.weightFp32],
      ['X', activation, split.activationFp32],
      ['W + X', weight && activation, split.bothFp32],
    ]
    return all.flatMap(([operands, present, error]) => (present ? partOf(outcome, operands, error, split) : []))
  })
}

function partOf(
  result: MethodResult,
  operands: Part['operands'],
  error: number,
  { powerOfTwo }: Split,
): readonly Part[] {
  // Nothing to divide: an exact product owes no error to anything.
  if (!(powerOfTwo > 0)) return []
  return [{ result, operands, error, powerOfTwo, owed: 100 * (1 - (error / powerOfTwo) ** 2) }]
}

function bars(parts: readonly Part[], x: string[][], name: 'scales' | 'elements', theme: Theme): Data {
  const colours = parts.map(({ result }) => methodStyle(result.method, theme).colour)
  return {
    type: 'bar',
    name,
    x,
    y: parts.map(({ owed }) => (name === 'scales' ? owed : 100 - owed)),
    marker: {
      color: name === 'scales' ? colours : colours.map((colour) => withOpacity(colour, 0.25)),
      line: { color: colours, width: 1 },
    },
    hovertemplate: `%{x}<br>owed to ${name}: %{y:.1f} %<extra></extra>`,
  }
}
