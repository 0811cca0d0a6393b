/** Float64 transforms written straight from their sums; every index explicit, nothing shared with src/. */

const parity = (bits: number) => {
  let odd = 0
  for (let rest = bits; rest > 0; rest &= rest - 1) odd ^= 1
  return odd
}

/**
 * y[k', j'] = Σ_k outer[k', k] Σ_j (−1)^popcount(j & j') s[k, j] x[k, j] / √(run), row by row.
 * x [rows, n] with n = order · run; outer [order, order], scaling of the outer matrix included by the caller.
 */
export function hadamardRows(
  x: ArrayLike<number>,
  shape: { rows: number; order: number; run: number; outer: ArrayLike<number>; signs: ArrayLike<number> | null },
): Float64Array {
  const { rows, order, run, outer, signs } = shape
  const n = order * run
  const inner = new Float64Array(rows * n)
  const y = new Float64Array(rows * n)
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < order; k++) {
      for (let to = 0; to < run; to++) {
        let sum = 0
        for (let j = 0; j < run; j++) {
          const value = x[row * n + k * run + j] * (signs ? signs[k * run + j] : 1)
          sum += parity(j & to) ? -value : value
        }
        inner[row * n + k * run + to] = sum / Math.sqrt(run)
      }
    }
    for (let to = 0; to < order; to++) {
      for (let j = 0; j < run; j++) {
        let sum = 0
        for (let k = 0; k < order; k++) sum += outer[to * order + k] * inner[row * n + k * run + j]
        y[row * n + to * run + j] = sum
      }
    }
  }
  return y
}

interface KroneckerShape {
  readonly rows: number
  readonly a: number
  readonly b: number
  readonly factor: ArrayLike<number>
  readonly transposed: boolean
  readonly scale?: ArrayLike<number>
}

/** y[t, i, k'] = Σ_k s[i, k] x[t, i, k] F[k, k'] (F[k', k] when transposed). */
export function kroneckerRightRows(x: ArrayLike<number>, shape: KroneckerShape): Float64Array {
  const { rows, a, b, factor, transposed, scale } = shape
  const y = new Float64Array(rows * a * b)
  for (let t = 0; t < rows; t++) {
    for (let i = 0; i < a; i++) {
      for (let to = 0; to < b; to++) {
        let sum = 0
        for (let k = 0; k < b; k++) {
          const f = transposed ? factor[to * b + k] : factor[k * b + to]
          sum += (scale ? scale[i * b + k] : 1) * x[(t * a + i) * b + k] * f
        }
        y[(t * a + i) * b + to] = sum
      }
    }
  }
  return y
}

/** y[t, i', k] = Σ_i F[i, i'] x[t, i, k] (F[i', i] when transposed). */
export function kroneckerLeftRows(x: ArrayLike<number>, shape: KroneckerShape): Float64Array {
  const { rows, a, b, factor, transposed } = shape
  const y = new Float64Array(rows * a * b)
  for (let t = 0; t < rows; t++) {
    for (let to = 0; to < a; to++) {
      for (let k = 0; k < b; k++) {
        let sum = 0
        for (let i = 0; i < a; i++) {
          const f = transposed ? factor[to * a + i] : factor[i * a + to]
          sum += f * x[(t * a + i) * b + k]
        }
        y[(t * a + to) * b + k] = sum
      }
    }
  }
  return y
}
