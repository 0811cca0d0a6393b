import type { DataTable } from './figure'
import { formatDifference } from './format-f32'
import { type LineRow, roundOn } from './line-rows'

/** What every row makes of `x`: code, how its value comes about, error, and the numbers that share the value. */
export function roundingTable(rows: readonly LineRow[], x: number): DataTable {
  return {
    columns: [
      'format',
      'code',
      'element × scale ÷ pre-scale = value',
      'error',
      'rounded to the same value',
      'largest error of those',
    ],
    rows: rows.map((row) => {
      const rounded = roundOn(row, x)
      if (!rounded) return [row.label, '–', 'scale rounded to 0 = 0', formatDifference(-Math.fround(x)), '(−∞, ∞)', '∞']
      const { bits, derivation, error, interval, largestError } = rounded
      return [row.label, bits, derivation, formatDifference(error), interval, formatDifference(largestError)]
    }),
  }
}
