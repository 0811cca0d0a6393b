/** The table of results: columns as data, rows as numbers, sorting. */
import type { MethodResult } from '../experiment/result'
import { methodLabel } from '../figures/describe'
import {
  formatBits,
  formatCount,
  formatDecibelDifference,
  formatDecibels,
  formatMagnitude,
  formatPercent,
  formatRelativeError,
  formatSeconds,
  formatSignificant,
  shownDifference,
} from '../figures/format-number'
import { PAPER_SOURCE, type PaperModel, publishedRecovery, recoveryHint } from './paper-recovery'
import { layerKey, outcomeKey } from './result-keys'
import { baselineResult, type TileModel } from './selectors'
import type { AppState } from './state'
import { BASELINE } from './vocabulary'

/** The weights, or the activations. */
export type Operand = 'W' | 'X'

export interface Column {
  readonly id: string
  readonly label: string
  readonly unit: string
  /** Its name where nothing stands beside it; `label` where missing. */
  readonly fullLabel?: string
  /** What the number is, in one sentence. */
  readonly help: string
  /** null where the number does not exist, such as the SQNR of a side that is not quantized. */
  readonly value: (result: MethodResult, baseline: MethodResult | null) => number | null
  readonly format: (value: number) => string
  /** Which operand the number is of, where it may be either; null where it is of both. */
  readonly operand?: (result: MethodResult) => Operand | null
  /** What stands in its place where every column is one number. */
  readonly parts?: readonly Column[]
  /** Shown until the user chooses columns. */
  readonly isShown: boolean
  /** What is behind the number of one cell. */
  readonly hint?: (result: MethodResult) => string
  /** Hook of the cell in front of the method's id. */
  readonly hook?: string
}

const againstBaseline = ({ evaluation }: MethodResult, baseline: MethodResult | null) =>
  baseline && shownDifference(evaluation.outputSqnrDb, baseline.evaluation.outputSqnrDb)

/** By how many percent an error is above that of the baseline; null where that one is exact. */
function errorChange({ evaluation }: MethodResult, baseline: MethodResult | null): number | null {
  if (!baseline) return null
  const change = 100 * (evaluation.outputRelativeError / baseline.evaluation.outputRelativeError - 1)
  return Number.isFinite(change) ? change : null
}

/** "+23 %", "−4.1 %", without the sign of percent, which is the unit of the column. */
function formatChange(change: number): string {
  const text = formatPercent(Math.abs(change)).replace(' %', '')
  return Number(text) === 0 ? '0' : `${change < 0 ? '−' : '+'}${text}`
}

const shareText = (percent: number) => formatPercent(percent).replace(' %', '')

type Share = 'clippedPercent' | 'flushedPercent'

/** A column of both operands: the larger share, and whose it is; null where none is quantized. */
function shareColumn(share: Share, column: Pick<Column, 'id' | 'label' | 'help'>): Column {
  const shareOf = (result: MethodResult, of: Operand) =>
    (of === 'W' ? result.weight : result.activation)?.[share] ?? null
  const text = (percent: number | null) => (percent === null ? 'as loaded' : formatPercent(percent))
  const one: Omit<Column, 'value'> = { ...column, unit: '%', format: shareText, isShown: true }
  return {
    ...one,
    value: (result) => {
      const shares = [shareOf(result, 'W'), shareOf(result, 'X')].filter((percent) => percent !== null)
      return shares.length > 0 ? Math.max(...shares) : null
    },
    operand: (result) => {
      // Below every share where it is not quantized.
      const [weight, activation] = [shareOf(result, 'W') ?? -1, shareOf(result, 'X') ?? -1]
      if (weight === activation) return null
      return weight > activation ? 'W' : 'X'
    },
    parts: (['W', 'X'] as const).map((of) => ({
      ...one,
      label: `${column.label} ${of}`,
      value: (result) => shareOf(result, of),
    })),
    hint: (result) => `W ${text(shareOf(result, 'W'))}, X ${text(shareOf(result, 'X'))}`,
  }
}

export const COLUMNS: readonly Column[] = [
  {
    id: 'sqnr',
    label: 'Out SQNR',
    unit: 'dB',
    help: 'Output signal to quantization noise on evaluation rows: −20 log10(relative error). Higher is better.',
    value: ({ evaluation }) => evaluation.outputSqnrDb,
    format: formatDecibels,
    isShown: true,
    hook: 'sqnr',
  },
  {
    id: 'delta',
    label: 'Δ RTN',
    unit: 'dB',
    help: 'Output SQNR minus that of the baseline under the same setting, both as shown. Positive is better than the baseline, which is RTN until another is set. A dash where one is exact.',
    value: againstBaseline,
    format: formatDecibelDifference,
    isShown: true,
  },
  {
    id: 'delta-error',
    label: 'Δ RTN error',
    unit: '%',
    help: 'By how many percent the relative error is above that of the baseline under the same setting. Negative is better. A dash where the baseline is exact.',
    value: errorChange,
    format: formatChange,
    isShown: false,
  },
  {
    id: 'error',
    label: 'Rel. error',
    unit: 'evaluation',
    help: 'Output relative error ‖Ŷ − Y‖ / ‖Y‖ (Frobenius) on evaluation rows, Y = XWᵀ in full precision. Lower is better.',
    value: ({ evaluation }) => evaluation.outputRelativeError,
    format: formatRelativeError,
    isShown: true,
    hook: 'relative-error',
  },
  {
    id: 'calibration',
    label: 'Rel. error',
    unit: 'calibration',
    help: 'The same on the rows the method was fitted on. Far below the evaluation error means overfitting.',
    value: ({ calibration }) => calibration.outputRelativeError,
    format: formatRelativeError,
    isShown: true,
    hook: 'calibration-error',
  },
  {
    id: 'weight',
    label: 'W SQNR',
    unit: 'dB',
    help: 'SQNR of the weights in the transformed space. A dash where weights are left as loaded.',
    value: ({ weight }) => weight?.sqnrDb ?? null,
    format: formatDecibels,
    isShown: true,
  },
  {
    id: 'activation',
    label: 'X SQNR',
    unit: 'dB',
    help: 'SQNR of the evaluation activations in the transformed space. A dash where they are left as loaded.',
    value: ({ activation }) => activation?.sqnrDb ?? null,
    format: formatDecibels,
    isShown: true,
  },
  {
    id: 'gain',
    label: 'Gain',
    unit: '⟨Y,Ŷ⟩/⟨Y,Y⟩',
    help: '⟨Y, Ŷ⟩ / ⟨Y, Y⟩ on evaluation rows. Below 1 the outputs shrink; a pre-scale may repair that or make it worse.',
    value: ({ evaluation }) => evaluation.gain,
    format: (value) => value.toFixed(4),
    isShown: false,
  },
  {
    id: 'max',
    label: 'Max',
    unit: 'unit of X',
    help: 'Largest magnitude of the activations that are quantized, after the transform.',
    value: ({ profile }) => profile.maxAbsolute,
    format: formatMagnitude,
    isShown: true,
  },
  {
    id: 'kurtosis',
    label: 'Kurtosis',
    unit: 'none',
    help: 'Fourth standardised moment of the same activations: 3 for a Gaussian, higher with outliers.',
    value: ({ profile }) => profile.kurtosis,
    format: formatMagnitude,
    isShown: true,
  },
  shareColumn('clippedPercent', {
    id: 'clipped',
    label: 'Clipped',
    help: 'Elements beyond the largest code of their block, before rounding: of W or X, whichever has more, as the letter says; both under the pointer.',
  }),
  shareColumn('flushedPercent', {
    id: 'zeroed',
    label: 'Zeroed',
    help: 'Elements that are not zero and become zero: of W or X, whichever has more, as the letter says; both under the pointer.',
  }),
  {
    id: 'cosine',
    label: 'Cosine',
    unit: 'none',
    help: '⟨Y, Ŷ⟩ / (‖Y‖ ‖Ŷ‖) on evaluation rows: 1 where outputs point the same way.',
    value: ({ evaluation }) => evaluation.cosine,
    format: (value) => value.toFixed(4),
    isShown: false,
  },
  {
    id: 'nmse',
    label: 'NMSE',
    unit: 'none',
    help: 'Normalised mean squared error: the square of the relative error on evaluation rows.',
    value: ({ evaluation }) => evaluation.outputRelativeError ** 2,
    format: (value) => formatSignificant(value, 3),
    isShown: false,
  },
  {
    id: 'max-absolute',
    label: 'Max error',
    unit: 'unit of Y',
    help: 'Largest |Ŷ − Y| of a single output on evaluation rows.',
    value: ({ evaluation }) => evaluation.maxAbsoluteError,
    format: formatMagnitude,
    isShown: false,
  },
  {
    id: 'online',
    label: 'Extra work',
    unit: 'multiply-adds per token',
    help: 'What the method adds at inference beside the quantized product. Zero where it folds into neighbouring layers.',
    value: ({ onlineOperations }) => onlineOperations,
    format: formatCount,
    isShown: false,
  },
  {
    id: 'bits',
    label: 'Bits',
    unit: 'per element',
    help: 'Storage of the weights with their scales.',
    value: ({ bitsPerElement }) => bitsPerElement,
    format: formatBits,
    isShown: false,
  },
  {
    id: 'time',
    label: 'Time',
    unit: 's',
    help: 'Time to fit and measure the method on this adapter.',
    value: ({ elapsedMs }) => elapsedMs / 1000,
    format: (seconds) => formatSeconds(1000 * seconds).replace(/ s$/, ''),
    isShown: false,
  },
]

/** Id of the column of published recoveries. */
export const PAPER_COLUMN = 'paper'

/** The column of published recoveries of one model. */
export function paperColumn(model: PaperModel): Column {
  return {
    id: PAPER_COLUMN,
    label: `Paper: ${model.shortLabel}`,
    fullLabel: `Paper: ${model.label}`,
    unit: 'recovery %, not of this layer',
    help: `Published, not of this layer. Average accuracy of the whole ${model.label} as a share of BF16, as published (${PAPER_SOURCE}). A dash where no number is at hand.`,
    value: (result) => publishedRecovery(model.id, result)?.printed ?? null,
    format: (recovery) => recovery.toFixed(2),
    isShown: true,
    hint: (result) => {
      const found = publishedRecovery(model.id, result)
      return found ? recoveryHint(model, found) : `No number of ${model.label} is at hand for this method and setting`
    },
  }
}

/** The name of a column, differences with that of what they are taken against. */
export function columnLabel({ id, label }: Column, baseline: string): string {
  return id === 'delta' || id === 'delta-error' ? label.replace(methodLabel(BASELINE), methodLabel(baseline)) : label
}

/** The same where nothing stands beside it: unit in brackets, the whole name of a model. */
export function columnHeading(column: Column, baseline: string): string {
  const label = column.fullLabel ?? columnLabel(column, baseline)
  return column.unit === 'none' ? label : `${label} [${column.unit}]`
}

/** A cell in words: "31 X" where the number is of one operand, a dash where there is none. */
export function cellText(column: Column, result: MethodResult, baseline: MethodResult | null): string {
  const value = column.value(result, baseline)
  const operand = column.operand?.(result) ?? null
  return value === null ? '–' : `${column.format(value)}${operand === null ? '' : ` ${operand}`}`
}

/** What differences are taken against: the chosen method while it is compared, else round to nearest. */
export interface TableBaseline {
  readonly method: string
  /** Of the setting on screen; null until it is there. */
  readonly result: MethodResult | null
}

export function tableBaseline(state: AppState): TableBaseline {
  const { baseline } = state.highlight
  const chosen = state.setup.methods.find(({ id }) => id === baseline)
  if (!chosen || baseline === BASELINE) return { method: BASELINE, result: baselineResult(state) }
  const layer = layerKey(state)
  const outcome = layer === null ? null : state.run.results[outcomeKey(state, layer, state.setup.setting, chosen)]
  return { method: baseline, result: outcome?.kind === 'result' ? outcome : null }
}

/** Length of the bar behind a decibel, 0 … 1, on a scale that all rows share: from 0 dB to the best finite one. */
export function barShare(decibels: number, all: readonly number[]): number {
  const most = Math.max(...all.filter(Number.isFinite), 0)
  if (decibels === Number.POSITIVE_INFINITY) return 1
  return decibels > 0 && most > 0 ? Math.min(decibels / most, 1) : 0
}

/** null: the order of the chips. */
export type Sort = { readonly column: string; readonly descending: boolean } | null

const resultOf = ({ outcome }: TileModel) => (outcome?.kind === 'result' ? outcome : null)

/** The models in the order of `sort`; methods without the number come last, in the order of the chips. */
export function sortRows(
  models: readonly TileModel[],
  sort: Sort,
  baseline: MethodResult | null,
  columns: readonly Column[] = COLUMNS,
): readonly TileModel[] {
  const column = columns.find(({ id }) => id === sort?.column)
  if (!sort || !column) return models
  const worst = sort.descending ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const keyOf = (model: TileModel) => {
    const result = resultOf(model)
    return (result && column.value(result, baseline)) ?? worst
  }
  const keyed = models.map((model) => ({ model, key: keyOf(model) }))
  keyed.sort((a, b) => (a.key === b.key ? 0 : (a.key < b.key ? -1 : 1) * (sort.descending ? -1 : 1)))
  return keyed.map(({ model }) => model)
}

/** What a click on a column's head does: descending, ascending, the order of the chips. */
export function nextSort(sort: Sort, column: string): Sort {
  if (sort?.column !== column) return { column, descending: true }
  return sort.descending ? { column, descending: false } : null
}
