/** The table of results: columns as data, rows as numbers, sorting. */
import type { MethodResult } from '../experiment/result'
import {
  formatBits,
  formatDecibelDifference,
  formatDecibels,
  formatMagnitude,
  formatRelativeError,
  formatSeconds,
  shownDifference,
} from '../figures/format-number'
import type { TileModel } from './selectors'

export interface Column {
  readonly id: string
  readonly label: string
  readonly unit: string
  /** What the number is, in one sentence. */
  readonly help: string
  /** null where the number does not exist, such as the SQNR of a side that is not quantized. */
  readonly value: (result: MethodResult, baseline: MethodResult | null) => number | null
  readonly format: (value: number) => string
  /** Hook of the cell in front of the method's id. */
  readonly hook?: string
}

const againstBaseline = ({ evaluation }: MethodResult, baseline: MethodResult | null) =>
  baseline && shownDifference(evaluation.outputSqnrDb, baseline.evaluation.outputSqnrDb)

export const COLUMNS: readonly Column[] = [
  {
    id: 'sqnr',
    label: 'Out SQNR',
    unit: 'dB',
    help: 'Output signal to quantization noise on evaluation rows: −20 log10(relative error). Higher is better.',
    value: ({ evaluation }) => evaluation.outputSqnrDb,
    format: formatDecibels,
    hook: 'sqnr',
  },
  {
    id: 'delta',
    label: 'Δ RTN',
    unit: 'dB',
    help: 'Output SQNR minus that of round to nearest under the same setting, both as shown. Positive is better than RTN. A dash where one is exact.',
    value: againstBaseline,
    format: formatDecibelDifference,
  },
  {
    id: 'error',
    label: 'Rel. error',
    unit: 'evaluation',
    help: 'Output relative error ‖Ŷ − Y‖ / ‖Y‖ (Frobenius) on evaluation rows, Y = XWᵀ in full precision. Lower is better.',
    value: ({ evaluation }) => evaluation.outputRelativeError,
    format: formatRelativeError,
    hook: 'relative-error',
  },
  {
    id: 'calibration',
    label: 'Rel. error',
    unit: 'calibration',
    help: 'The same on the rows the method was fitted on. Far below the evaluation error means overfitting.',
    value: ({ calibration }) => calibration.outputRelativeError,
    format: formatRelativeError,
    hook: 'calibration-error',
  },
  {
    id: 'weight',
    label: 'W SQNR',
    unit: 'dB',
    help: 'SQNR of the weights in the transformed space. A dash where weights are left as loaded.',
    value: ({ weight }) => weight?.sqnrDb ?? null,
    format: formatDecibels,
  },
  {
    id: 'activation',
    label: 'X SQNR',
    unit: 'dB',
    help: 'SQNR of the evaluation activations in the transformed space. A dash where they are left as loaded.',
    value: ({ activation }) => activation?.sqnrDb ?? null,
    format: formatDecibels,
  },
  {
    id: 'gain',
    label: 'Gain',
    unit: '⟨Y,Ŷ⟩/⟨Y,Y⟩',
    help: '⟨Y, Ŷ⟩ / ⟨Y, Y⟩ on evaluation rows. Below 1 the outputs shrink; a pre-scale may repair that or make it worse.',
    value: ({ evaluation }) => evaluation.gain,
    format: (value) => value.toFixed(4),
  },
  {
    id: 'max',
    label: 'Max',
    unit: 'unit of X',
    help: 'Largest magnitude of the activations that are quantized, after the transform.',
    value: ({ profile }) => profile.maxAbsolute,
    format: formatMagnitude,
  },
  {
    id: 'kurtosis',
    label: 'Kurtosis',
    unit: 'none',
    help: 'Fourth standardised moment of the same activations: 3 for a Gaussian, higher with outliers.',
    value: ({ profile }) => profile.kurtosis,
    format: formatMagnitude,
  },
  {
    id: 'bits',
    label: 'Bits',
    unit: 'per element',
    help: 'Storage of the weights with their scales.',
    value: ({ bitsPerElement }) => bitsPerElement,
    format: formatBits,
  },
  {
    id: 'time',
    label: 'Time',
    unit: 's',
    help: 'Time to fit and measure the method on this adapter.',
    value: ({ elapsedMs }) => elapsedMs / 1000,
    format: (seconds) => formatSeconds(1000 * seconds).replace(/ s$/, ''),
  },
]

/** null: menu order. */
export type Sort = { readonly column: string; readonly descending: boolean } | null

const resultOf = ({ outcome }: TileModel) => (outcome?.kind === 'result' ? outcome : null)

/** The models in the order of `sort`; methods without the number come last, in menu order. */
export function sortRows(
  models: readonly TileModel[],
  sort: Sort,
  baseline: MethodResult | null,
): readonly TileModel[] {
  const column = COLUMNS.find(({ id }) => id === sort?.column)
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

/** What a click on a column's head does: descending, ascending, menu order. */
export function nextSort(sort: Sort, column: string): Sort {
  if (sort?.column !== column) return { column, descending: true }
  return sort.descending ? { column, descending: false } : null
}
