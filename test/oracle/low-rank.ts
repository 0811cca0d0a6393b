/** Low-rank approximation from the definitions, in float64: weightings, singular values, and what factors leave. */
import type { Matrix } from '../../src/core/matrix'

/** Rows of float64 numbers. */
export type Rows = readonly Float64Array[]

export function rowsOf({ rows, cols, data }: Matrix): Rows {
  return Array.from({ length: rows }, (_, row) => Float64Array.from(data.subarray(row * cols, (row + 1) * cols)))
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)

/** a [m, k] · b [n, k]ᵀ */
export function productNt(a: Rows, b: Rows): Rows {
  return a.map((left) => Float64Array.from(b, (right) => dot(left, right)))
}

export const transposed = (a: Rows): Rows =>
  Array.from({ length: a[0].length }, (_, col) => Float64Array.from(a, (row) => row[col]))

export const difference = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((value, j) => value - b[i][j]))

export const energy = (a: Rows) => a.reduce((sum, row) => sum + dot(row, row), 0)

/** S of each weighting, from the rows x [tokens, in]: the papers' diagonals; for qera-exact x itself, as SᵀS = xᵀx. */
export function weightingRows(kind: string, x: Rows): Rows {
  const channels = transposed(x)
  const diagonal = (values: number[]) =>
    values.map((value, i) => Float64Array.from(values, (_, j) => (i === j ? value : 0)))
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length
  if (kind === 'plain') return diagonal(channels.map(() => 1))
  if (kind === 'lqer') return diagonal(channels.map((channel) => Math.max(mean(channel.map(Math.abs)), 1e-4)))
  if (kind === 'qera-approx') return diagonal(channels.map((channel) => Math.sqrt(mean(channel.map((v) => v * v)))))
  if (kind === 'qera-exact') return x
  throw new Error(`no weighting ${kind}`)
}

/** Squared singular values of a, falling: one-sided Jacobi on its shorter side, until all pairs are orthogonal. */
export function squaredSingularValues(a: Rows): readonly number[] {
  const columns = (a.length < a[0].length ? a : transposed(a)).map((column) => column.slice())
  for (let changed = true; changed; ) {
    changed = false
    for (let p = 0; p < columns.length; p++) {
      for (let q = p + 1; q < columns.length; q++) changed = makeOrthogonal(columns[p], columns[q]) || changed
    }
  }
  return columns.map((column) => dot(column, column)).sort((x, y) => y - x)
}

function makeOrthogonal(p: Float64Array, q: Float64Array): boolean {
  const [pp, qq, pq] = [dot(p, p), dot(q, q), dot(p, q)]
  if (Math.abs(pq) <= 1e-14 * Math.sqrt(pp * qq) + 1e-290) return false
  const angle = Math.atan2(2 * pq, pp - qq) / 2
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
  for (let i = 0; i < p.length; i++) {
    const [x, y] = [p[i], q[i]]
    p[i] = cosine * x + sine * y
    q[i] = cosine * y - sine * x
  }
  return true
}

/** The smallest ‖S (E − M)ᵀ‖² any M of this rank can leave (Eckart-Young): the squares beyond the first `rank`. */
export function smallestEnergy(s: Rows, e: Rows, rank: number): number {
  return squaredSingularValues(productNt(s, e))
    .slice(rank)
    .reduce((sum, value) => sum + value, 0)
}

/** ‖S (E − right · left)ᵀ‖² of factors left [r, in], right [out, r]. */
export function energyLeft(s: Rows, e: Rows, { left, right }: { left: Rows; right: Rows }): number {
  return energy(productNt(s, difference(e, productNt(right, transposed(left)))))
}
