import { InputError } from './errors'
import type { DenseMatrix } from './linear-algebra'

/** Sweeps after which convergence, which is quadratic once the matrix is nearly diagonal, has failed: 6 to 10 are usual. */
const MOST_SWEEPS = 40

export interface SymmetricEigen {
  /** λ, falling. [n] */
  readonly values: Float64Array
  /** Row i is the unit eigenvector of values[i]. [n, n] */
  readonly vectors: DenseMatrix
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, by cyclic Jacobi rotations. Only the mean of a and aᵀ counts.
 *
 * Accuracy: |V A Vᵀ − Λ|_F ≤ 120 · n^1.5 · 2^-53 · ‖A‖_F, |V Vᵀ − I|_F the same without ‖A‖. Work: about 50 n³ operations. Equal eigenvalues keep the order of the
 * diagonal, so that the same matrix gives the same bits. Not for elements that are not finite.
 */
export function symmetricEigen(a: DenseMatrix): SymmetricEigen {
  const n = a.rows
  if (a.cols !== n) throw new InputError('BUG', `symmetricEigen: expected a square matrix, found ${n} x ${a.cols}`)
  const work = Float64Array.from(a.data, (value, i) => (value + a.data[(i % n) * n + Math.floor(i / n)]) / 2)
  const vectors = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
  const negligible = 2 ** -54 * Math.hypot(...[0, ...rowNorms(work, n)])
  for (let sweep = 0; rotateAll(work, vectors, { n, negligible }); sweep++) {
    if (sweep === MOST_SWEEPS) {
      throw new InputError('BUG', `symmetricEigen: expected convergence in ${MOST_SWEEPS} sweeps, found none`)
    }
  }
  const diagonal = Array.from({ length: n }, (_, i) => work[i * (n + 1)])
  const order = diagonal.map((_, i) => i).sort((i, j) => diagonal[j] - diagonal[i] || i - j)
  const sorted = new Float64Array(n * n)
  order.forEach((from, to) => {
    sorted.set(vectors.subarray(from * n, (from + 1) * n), to * n)
  })
  return {
    values: Float64Array.from(order, (i) => diagonal[i]),
    vectors: { rows: n, cols: n, data: sorted },
  }
}

function rowNorms(data: Float64Array, n: number): number[] {
  return Array.from({ length: n }, (_, row) => Math.hypot(...data.subarray(row * n, (row + 1) * n)))
}

interface Sweep {
  readonly n: number
  /** Elements of at most this magnitude count as zero. */
  readonly negligible: number
}

/** One rotation per element above the diagonal that is not negligible; whether there was one. */
function rotateAll(work: Float64Array, vectors: Float64Array, { n, negligible }: Sweep): boolean {
  let rotated = false
  for (let p = 0; p < n; p++) {
    for (let q = p + 1; q < n; q++) {
      const element = work[p * n + q]
      if (Math.abs(element) <= negligible) continue
      rotated = true
      // t = tan of the smaller angle that makes element (p, q) zero.
      const theta = (work[q * (n + 1)] - work[p * (n + 1)]) / (2 * element)
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
      const cosine = 1 / Math.hypot(t, 1)
      const rotation = { n, p, q, cosine, sine: t * cosine }
      const [pp, qq] = [work[p * (n + 1)] - t * element, work[q * (n + 1)] + t * element]
      rotateRows(work, rotation)
      rotateRows(vectors, rotation)
      work[p * (n + 1)] = pp
      work[q * (n + 1)] = qq
      work[p * n + q] = 0
      work[q * n + p] = 0
      mirror(work, n, p)
      mirror(work, n, q)
    }
  }
  return rotated
}

interface Rotation {
  readonly n: number
  readonly p: number
  readonly q: number
  readonly cosine: number
  readonly sine: number
}

/** Rows p and q become cosine · p − sine · q and sine · p + cosine · q. */
function rotateRows(data: Float64Array, { n, p, q, cosine, sine }: Rotation): void {
  for (let i = p * n, j = q * n; i < (p + 1) * n; i++, j++) {
    const [x, y] = [data[i], data[j]]
    data[i] = cosine * x - sine * y
    data[j] = sine * x + cosine * y
  }
}

/** Column `row` becomes row `row`. */
function mirror(data: Float64Array, n: number, row: number): void {
  for (let k = 0; k < n; k++) data[k * n + row] = data[row * n + k]
}
