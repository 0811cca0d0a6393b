/** Which rows calibrate and which evaluate. */
import { InputError } from '../core/errors'
import type { RowRange } from '../io/tensor-view'

/** Largest share of rows that may be held out: calibration keeps at least a fifth. */
export const MAX_HELD_OUT_SHARE = 0.8

/**
 * Splits `rows` into contiguous halves: the first rows calibrate, the last `heldOutShare` of them (rounded, at least
 * one) evaluate. Share 0 uses all rows for both. Throws InputError AC-05 for a share out of range or a single row.
 */
export function splitRows(rows: number, heldOutShare: number): { calibration: RowRange; evaluation: RowRange } {
  if (!(heldOutShare >= 0 && heldOutShare <= MAX_HELD_OUT_SHARE)) {
    throw new InputError('AC-05', `held-out share: expected 0 to ${MAX_HELD_OUT_SHARE}, found ${heldOutShare}.`)
  }
  if (heldOutShare === 0) return { calibration: { start: 0, end: rows }, evaluation: { start: 0, end: rows } }
  if (rows < 2) {
    throw new InputError('AC-05', `activations: expected at least 2 rows to hold some out, found ${rows}.`)
  }
  const heldOut = Math.min(Math.max(Math.round(heldOutShare * rows), 1), rows - 1)
  return { calibration: { start: 0, end: rows - heldOut }, evaluation: { start: rows - heldOut, end: rows } }
}
