/**
 * GPTQ in plain float64, row by row and column by column, in the two forms of its recursion. Rounding is the caller's.
 * Imports types only, and the other oracle.
 */
import { upperFactor, upperInverse } from './gptq-factor'

/** The nearest representable number to `value` at `place` of `row`; `current` holds the row's values in processing order. */
export type RoundAt = (value: number, at: { row: number; place: number; current: Float64Array }) => number

export interface OracleLayer {
  /** W' [rows, n], channels in their natural order. */
  readonly weight: ArrayLike<number>
  readonly rows: number
  /** Damped H [n, n] in processing order. */
  readonly hessian: Float64Array
  /** The channel at each place. */
  readonly order: ArrayLike<number>
}

/** Walks every row: `step` gets the row in processing order and writes what it is rounded to. */
function everyRow(
  { weight, rows, order }: OracleLayer,
  step: (values: Float64Array, rounded: Float64Array, row: number) => void,
): Float64Array {
  const n = order.length
  const result = new Float64Array(rows * n)
  for (let row = 0; row < rows; row++) {
    const values = Float64Array.from({ length: n }, (_, place) => weight[row * n + order[place]])
    const rounded = new Float64Array(n)
    step(values, rounded, row)
    for (let place = 0; place < n; place++) result[row * n + order[place]] = rounded[place]
  }
  return result
}

/** q_i = Q(w_i), then w_j −= (w_i − q_i) / U_ii · U_ij for all later j, with H⁻¹ = UᵀU. */
export function gptqByInverse(layer: OracleLayer, round: RoundAt): Float64Array {
  const n = layer.order.length
  const u = upperInverse(upperFactor(layer.hessian, n), n)
  return everyRow(layer, (current, rounded, row) => {
    for (let place = 0; place < n; place++) {
      rounded[place] = round(current[place], { row, place, current })
      const d = (current[place] - rounded[place]) / u[place * (n + 1)]
      for (let j = place + 1; j < n; j++) current[j] -= d * u[place * n + j]
    }
  })
}

/** q_i = Q(w_i + Σ over k < i of (w_k − q_k) N_ki) with the original w, and H = (I + N) D (I + N)ᵀ. */
export function gptqByUnitFactor(layer: OracleLayer, round: RoundAt): Float64Array {
  const n = layer.order.length
  const r = upperFactor(layer.hessian, n)
  return everyRow(layer, (values, rounded, row) => {
    for (let place = 0; place < n; place++) {
      let target = values[place]
      for (let k = 0; k < place; k++) {
        target += (values[k] - rounded[k]) * (r[k * n + place] / r[place * (n + 1)])
      }
      rounded[place] = round(target, { row, place, current: values })
    }
  })
}
