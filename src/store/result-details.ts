/** What a row of the table holds back until it is opened: every metric of docs/metrics.md, on both sets of rows. */
import type { MethodResult, OperandErrors, OutputErrors } from '../experiment/result'
import {
  formatCount,
  formatDecibels,
  formatMagnitude,
  formatPercent,
  formatRelativeError,
} from '../figures/format-number'
import { byteText } from './tensor-rows'

/** A small table: names of columns, and lines of a name with one text per column. */
export interface DetailTable {
  readonly caption: string
  readonly columns: readonly string[]
  readonly lines: readonly { readonly name: string; readonly cells: readonly string[] }[]
}

const OUTPUT: readonly (readonly [name: string, text: (errors: OutputErrors) => string])[] = [
  ['relative error', ({ outputRelativeError }) => formatRelativeError(outputRelativeError)],
  ['SQNR', ({ outputSqnrDb }) => `${formatDecibels(outputSqnrDb)} dB`],
  ['gain', ({ gain }) => gain.toFixed(4)],
  ['cosine', ({ cosine }) => cosine.toFixed(4)],
  ['max absolute error', ({ maxAbsoluteError }) => formatMagnitude(maxAbsoluteError)],
  ['rows', ({ tokens }) => formatCount(tokens)],
]

const OPERAND: readonly (readonly [name: string, text: (errors: OperandErrors) => string])[] = [
  ['SQNR', ({ sqnrDb }) => `${formatDecibels(sqnrDb)} dB`],
  ['clipped', ({ clippedPercent }) => formatPercent(clippedPercent)],
  ['zeroed', ({ flushedPercent }) => formatPercent(flushedPercent)],
]

/**
 * Output errors on evaluation and calibration rows, what rounding did to each operand ("as loaded": nothing), and what
 * the method costs at inference beside the quantized product.
 */
export function resultDetails(result: MethodResult): readonly DetailTable[] {
  const { evaluation, calibration, weight, activation, onlineOperations, onlineBytes } = result
  return [
    {
      caption: 'Output',
      columns: ['evaluation', 'calibration'],
      lines: OUTPUT.map(([name, text]) => ({ name, cells: [evaluation, calibration].map(text) })),
    },
    {
      caption: 'Operands after the transform',
      columns: ['weights', 'activations'],
      lines: OPERAND.map(([name, text]) => ({
        name,
        cells: [weight, activation].map((operand) => (operand ? text(operand) : 'as loaded')),
      })),
    },
    {
      caption: 'Extra cost at inference',
      columns: ['beside the product'],
      lines: [
        { name: 'multiply-adds per token', cells: [formatCount(onlineOperations)] },
        { name: 'bytes kept', cells: [onlineBytes === 0 ? 'none' : byteText(onlineBytes)] },
      ],
    },
  ]
}
