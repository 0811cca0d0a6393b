/**
 * Small dense float64 algebra for factors and rotations: everything here is at most a few hundred rows, where plain
 * loops on the CPU are more accurate than f32 on the GPU and quick enough.
 */
import { InputError } from './errors'
import type { Random } from './random'

/** A float64 matrix. Row-major: element (r, c) is data[r * cols + c]. */
export interface DenseMatrix {
  readonly rows: number
  readonly cols: number
  readonly data: Float64Array
}

/** The n x n identity. */
export function identityMatrix(n: number): DenseMatrix {
  const data = new Float64Array(n * n)
  for (let i = 0; i < n; i++) data[i * n + i] = 1
  return { rows: n, cols: n, data }
}

/** aᵀ. Shapes: a [r, c] -> [c, r]. */
export function transpose(a: DenseMatrix): DenseMatrix {
  const data = new Float64Array(a.rows * a.cols)
  for (let r = 0; r < a.rows; r++) {
    for (let c = 0; c < a.cols; c++) data[c * a.rows + r] = a.data[r * a.cols + c]
  }
  return { rows: a.cols, cols: a.rows, data }
}

/** a · b. Shapes: a [r, k], b [k, c] -> [r, c]. */
export function multiply(a: DenseMatrix, b: DenseMatrix): DenseMatrix {
  if (a.cols !== b.rows) throw new InputError('BUG', `multiply: expected ${a.cols} rows on the right, found ${b.rows}`)
  const data = new Float64Array(a.rows * b.cols)
  for (let r = 0; r < a.rows; r++) {
    const out = data.subarray(r * b.cols, (r + 1) * b.cols)
    for (let k = 0; k < a.cols; k++) {
      const factor = a.data[r * a.cols + k]
      const row = b.data.subarray(k * b.cols, (k + 1) * b.cols)
      for (let c = 0; c < b.cols; c++) out[c] += factor * row[c]
    }
  }
  return { rows: a.rows, cols: b.cols, data }
}

/**
 * a⁻¹, by Gauss-Jordan elimination with partial pivoting. Shapes: a [n, n] -> same.
 * Accuracy: relative error about cond(a) · n · 2^-53. Throws InputError MD-02 when a pivot is zero or not finite.
 */
export function inverse(a: DenseMatrix): DenseMatrix {
  const n = a.rows
  if (a.cols !== n) throw new InputError('BUG', `inverse: expected a square matrix, found ${n} x ${a.cols}`)
  const left = a.data.slice()
  const right = identityMatrix(n).data
  const rowOf = (data: Float64Array, r: number) => data.subarray(r * n, (r + 1) * n)
  for (let k = 0; k < n; k++) {
    let pivot = k
    for (let r = k + 1; r < n; r++) if (Math.abs(left[r * n + k]) > Math.abs(left[pivot * n + k])) pivot = r
    const value = left[pivot * n + k]
    if (value === 0 || !Number.isFinite(value)) {
      throw new InputError(
        'MD-02',
        `inverse of a ${n} x ${n} matrix: expected non-zero pivots, found ${value} at ${k}.`,
      )
    }
    for (const data of [left, right]) {
      swapRows(rowOf(data, k), rowOf(data, pivot))
      const row = rowOf(data, k)
      for (let c = 0; c < n; c++) row[c] /= value
    }
    for (let r = 0; r < n; r++) {
      const factor = left[r * n + k]
      if (r === k || factor === 0) continue
      for (const data of [left, right]) {
        const source = rowOf(data, k)
        const target = rowOf(data, r)
        for (let c = 0; c < n; c++) target[c] -= factor * source[c]
      }
    }
  }
  return { rows: n, cols: n, data: right }
}

function swapRows(a: Float64Array, b: Float64Array): void {
  for (let c = 0; c < a.length; c++) {
    const value = a[c]
    a[c] = b[c]
    b[c] = value
  }
}

/**
 * A uniformly (Haar) distributed orthogonal n x n matrix: Q of the Householder QR of a Gaussian matrix filled row by
 * row, column j times the sign of R[j][j] (without it the distribution is not uniform). O(n³).
 */
export function randomOrthogonal(n: number, random: Random): DenseMatrix {
  const factors = gaussianFactors(n, random)
  for (let k = 0; k < n; k++) eliminateColumn(factors, k)
  return orthogonalFactor(factors)
}

/** Operations of a QR between two turns of the event loop: about 0.1 s. */
const BREATH = 1e8

export interface DrawOptions {
  readonly signal: AbortSignal
  /** Called with the columns done so far, at every turn of the event loop. */
  readonly onColumns: (done: number, of: number) => void
}

/** The matrix of randomOrthogonal, drawn in pieces between which `signal` is heard: an n of 2048 takes half a minute. */
export async function drawOrthogonal(
  n: number,
  random: Random,
  { signal, onColumns }: DrawOptions,
): Promise<DenseMatrix> {
  const factors = gaussianFactors(n, random)
  let pending = BREATH
  for (let k = 0; k < n; k++) {
    if (pending >= BREATH) {
      onColumns(k, n)
      await new Promise<void>((resolve) => setTimeout(resolve))
      signal.throwIfAborted()
      pending = 0
    }
    eliminateColumn(factors, k)
    pending += 4 * (n - k) * (2 * n - k)
  }
  return orthogonalFactor(factors)
}

/** A QR under way: Q R is the matrix it started from, `v` the reflection at hand. */
interface QrFactors {
  readonly n: number
  readonly q: Float64Array
  readonly r: Float64Array
  readonly v: Float64Array
}

function gaussianFactors(n: number, random: Random): QrFactors {
  const r = Float64Array.from({ length: n * n }, () => random.normal())
  return { n, q: identityMatrix(n).data, r, v: new Float64Array(n) }
}

/** Reflects column k of R, from row k down, onto the first axis: H = I − 2 v vᵀ / (vᵀ v). */
function eliminateColumn({ n, q, r, v }: QrFactors, k: number): void {
  let norm = 0
  for (let i = k; i < n; i++) norm += r[i * n + k] ** 2
  norm = Math.sqrt(norm)
  if (norm === 0) return
  for (let i = k; i < n; i++) v[i] = r[i * n + k]
  v[k] += v[k] < 0 ? -norm : norm
  let square = 0
  for (let i = k; i < n; i++) square += v[i] ** 2
  reflectColumns(r, v, { n, k, scale: 2 / square })
  reflectRows(q, v, { n, k, scale: 2 / square })
}

/** Q with the sign of R[j][j] in column j. */
function orthogonalFactor({ n, q, r }: QrFactors): DenseMatrix {
  for (let j = 0; j < n; j++) {
    if (r[j * n + j] >= 0) continue
    for (let i = 0; i < n; i++) q[i * n + j] = -q[i * n + j]
  }
  return { rows: n, cols: n, data: q }
}

interface Reflection {
  readonly n: number
  /** v is zero above this index. */
  readonly k: number
  readonly scale: number
}

/** data ← (I − scale · v vᵀ) · data, row by row so that memory is walked in order. */
function reflectColumns(data: Float64Array, v: Float64Array, { n, k, scale }: Reflection): void {
  const projection = new Float64Array(n)
  for (let i = k; i < n; i++) for (let c = k; c < n; c++) projection[c] += v[i] * data[i * n + c]
  for (let i = k; i < n; i++) for (let c = k; c < n; c++) data[i * n + c] -= scale * v[i] * projection[c]
}

/** data ← data · (I − scale · v vᵀ). */
function reflectRows(data: Float64Array, v: Float64Array, { n, k, scale }: Reflection): void {
  for (let r = 0; r < n; r++) {
    let projection = 0
    for (let c = k; c < n; c++) projection += data[r * n + c] * v[c]
    for (let c = k; c < n; c++) data[r * n + c] -= scale * projection * v[c]
  }
}
