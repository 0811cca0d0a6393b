import type { Data } from '../../types/plotly-figure'
import type { MethodOutcome, MethodResult, ScaleAnalysis } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { PRE_SCALE_MAX } from '../formats/number-format'
import { isMxFormat, lineName, methodLabel, outputRemark } from './describe'
import type { PanelFigure } from './figure'
import { formatPercent, formatRelativeError } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, type Theme, withOpacity } from './theme'
import { clauses, namesOrCount, sentences } from './words'

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

/**
 * How much of the output's squared error is owed to power-of-two scales, without pre-scale: the question of figure 4 of
 * the paper. What the pre-scale in use adds or removes is said beside it, since it is no part of the shares.
 */
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
        yaxis: axis(theme, 'squared error, no pre-scale [%]', { nticks: 6, zeroline: true }),
        annotations: [cornerNote(theme, text)],
      },
    }
  },
  describe(outcomes) {
    const parts = partsOf(outcomes)
    if (parts.length === 0) return sentences([NOTHING])
    const results = [...new Set(parts.map(({ result }) => result))]
    const owed = results.length === 1 ? ownShares(parts) : extremeShares(parts, results)
    return sentences([owed, clauses([preScaleRemark(results), outputRemark(results)])])
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

/** "Without pre-scale, RTN owes 20 % of its squared output error to power-of-two scales: W 10 %, X 12 %" */
function ownShares(parts: readonly Part[]): string {
  const total = parts[parts.length - 1]
  const name = lineName(total.result, [total.result])
  const single = parts.slice(0, -1).map(({ operands, owed }) => `${operands} ${formatPercent(owed)}`)
  const each = single.length > 0 ? `: ${single.join(', ')}, both ${formatPercent(total.owed)}` : ''
  if (total.owed <= 0)
    return `without pre-scale, fp32 scales would not lower the squared output error of ${name}${each || ` (${formatPercent(total.owed)})`}`
  const through = single.length > 0 ? '' : ` of ${total.operands}`
  return `without pre-scale, ${name} owes ${formatPercent(total.owed)} of its squared output error to power-of-two scales${through}${each}`
}

/** Who owes most and who least, W and X together where both have scales. */
function extremeShares(parts: readonly Part[], results: readonly MethodResult[]): string {
  const totals = results
    .flatMap((result) => parts.filter((part) => part.result === result).slice(-1))
    .sort((a, b) => b.owed - a.owed)
  const [most, least] = [totals[0], totals[totals.length - 1]]
  const [high, low] = [most, least].map(({ owed }) => formatPercent(owed))
  const lead = 'without pre-scale, share of the squared output error owed to power-of-two scales:'
  if (high === low) return `${lead} ${high} for all ${totals.length} results`
  const worse = totals.filter(({ owed }) => owed < 0).map(({ result }) => lineName(result, results))
  const note = worse.length > 0 ? `; fp32 scales would raise the error of ${namesOrCount(worse)}` : ''
  return `${lead} most for ${lineName(most.result, results)}, ${high}, least for ${lineName(least.result, results)}, ${low}${note}`
}

/** "the pre-scale in use changes the squared error by −3.0 % (QuaRot) to +12 % (RTN)"; null where none is measured. */
function preScaleRemark(results: readonly MethodResult[]): string | null {
  const changes = results
    .flatMap((result) => {
      const change = preScaleChange(result)
      return change === null ? [] : [{ name: lineName(result, results), change, text: changeText(change) }]
    })
    .sort((a, b) => a.change - b.change)
  if (changes.length === 0) return null
  const [least, most] = [changes[0], changes[changes.length - 1]]
  const lead = 'the pre-scale in use changes the squared error by'
  if (changes.length === 1) return `${lead} ${most.text}`
  if (least.text === most.text) return `${lead} ${most.text} for all ${changes.length} results`
  return `${lead} ${least.text} (${least.name}) to ${most.text} (${most.name})`
}

/** "+12 %", "−3.0 %", "0 %": tenths of a percent are the finest that mean something. */
function changeText(change: number): string {
  const tenths = Number(change.toFixed(1)) + 0
  return `${tenths > 0 ? '+' : ''}${formatPercent(tenths)}`
}

/**
 * By how many percent the pre-scale in use changes the squared output error, both as the analysis rounds; null where
 * none is in use, or another one was swept.
 */
function preScaleChange({ scaleAnalysis, preScale, preScaleVariant }: MethodResult): number | null {
  const { split, preScaleSweep: sweep } = scaleAnalysis ?? { split: null, preScaleSweep: null }
  if (!split || !sweep || preScale === null || preScale === PRE_SCALE_MAX || sweep.variant !== preScaleVariant)
    return null
  const at = sweep.values.indexOf(preScale)
  const change = 100 * ((10 ** (-sweep.outputSqnrDb[at] / 20) / split.powerOfTwo) ** 2 - 1)
  return Number.isFinite(change) ? change : null
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
    meta: parts.map(({ result }) => result.method),
    x,
    y: parts.map(({ owed }) => (name === 'scales' ? owed : 100 - owed)),
    marker: {
      color: name === 'scales' ? colours : colours.map((colour) => withOpacity(colour, 0.25)),
      line: { color: colours, width: 1 },
    },
    hovertemplate: `%{x}<br>owed to ${name}: %{y:.1f} %<extra></extra>`,
  }
}
