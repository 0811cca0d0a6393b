import type { DataTable } from './figure'
import { formatDifference, formatF32 } from './format-f32'
import { type LineRow, roundOn } from './line-rows'
import { describeScale } from './scale-text'

/** What every row makes of `x`: code, value, error, and the numbers that share the value. */
export function roundingTable(rows: readonly LineRow[], x: number): DataTable {
  return {
    columns: ['format', 'scale', 'code', 'value', 'error', 'rounded to the same value', 'half width'],
    rows: rows.map((row) => {
      const rounded = roundOn(row, x)
      const scale = describeScale(row.scale)
      if (!rounded)
        return [row.label, `${scale}, rounded to 0`, '–', '0', formatDifference(-Math.fround(x)), '(−∞, ∞)', '∞']
      const { bits, value, error, interval, halfWidth } = rounded
      return [row.label, scale, bits, formatF32(value), formatDifference(error), interval, formatDifference(halfWidth)]
    }),
  }
}
