import type { Matrix } from '../../src/core/matrix'

/** A float64 product [rows, cols] and, per element, the sum of |a||b| its error bound is made of. */
export interface ExactProduct {
  readonly rows: number
  readonly cols: number
  readonly values: Float64Array
  readonly magnitudes: Float64Array
}

type At = (row: number, col: number) => number

const at =
  (m: Matrix): At =>
  (row, col) =>
    m.data[row * m.cols + col]

function product(rows: number, cols: number, depth: number, a: At, b: At): ExactProduct {
  const values = new Float64Array(rows * cols)
  const magnitudes = new Float64Array(rows * cols)
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      let sum = 0
      let magnitude = 0
      for (let k = 0; k < depth; k++) {
        const term = a(row, k) * b(k, col)
        sum += term
        magnitude += Math.abs(term)
      }
      values[row * cols + col] = sum
      magnitudes[row * cols + col] = magnitude
    }
  }
  return { rows, cols, values, magnitudes }
}

/** a [m, k] · b [n, k]ᵀ. */
export function exactNt(a: Matrix, b: Matrix): ExactProduct {
  return product(a.rows, b.rows, a.cols, at(a), (k, col) => at(b)(col, k))
}

/** a [m, k] · b [k, n]. */
export function exactNn(a: Matrix, b: Matrix): ExactProduct {
  return product(a.rows, b.cols, a.cols, at(a), at(b))
}

/** a [t, m]ᵀ · b [t, n]. */
export function exactTn(a: Matrix, b: Matrix): ExactProduct {
  return product(a.cols, b.cols, a.rows, (row, k) => at(a)(k, row), at(b))
}

/**
 * Largest |estimate − exact| in units of its bound (depth + 2) · 2^-23 · Σ|a||b|: at most 1 for any order of a float32
 * sum of `depth` products, fused or not.
 */
export function worstErrorRatio(exact: ExactProduct, estimate: Float32Array, depth: number): number {
  let worst = 0
  for (let i = 0; i < exact.values.length; i++) {
    const bound = (depth + 2) * 2 ** -23 * exact.magnitudes[i] + Number.MIN_VALUE
    const ratio = Math.abs(estimate[i] - exact.values[i]) / bound
    if (!(ratio <= worst)) worst = ratio
  }
  return worst
}
