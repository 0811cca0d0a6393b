/** Textbook float64 algebra for the triangular factors of GPTQ: square matrices, row-major, all loops written out. */

type Square = Float64Array

/** H in processing order: zeros on the diagonal (dead channels) replaced, damping added. */
export function dampedInOrder(
  gram: ArrayLike<number>,
  order: ArrayLike<number>,
  { dead, shift }: { readonly dead: number; readonly shift: number },
): Square {
  const n = order.length
  const h = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const value = gram[order[i] * n + order[j]]
      h[i * n + j] = i === j ? (value === 0 ? dead : value) + shift : value
    }
  }
  return h
}

/** R upper with H = R Rᵀ, from the last column to the first. */
export function upperFactor(h: Square, n: number): Square {
  const r = new Float64Array(n * n)
  for (let j = n - 1; j >= 0; j--) {
    for (let i = j; i >= 0; i--) {
      let sum = h[i * n + j]
      for (let k = j + 1; k < n; k++) sum -= r[i * n + k] * r[j * n + k]
      r[i * n + j] = i === j ? Math.sqrt(sum) : sum / r[j * n + j]
    }
  }
  return r
}

/** The inverse of an upper triangular matrix, column by column. */
export function upperInverse(r: Square, n: number): Square {
  const u = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    for (let i = j; i >= 0; i--) {
      let sum = i === j ? 1 : 0
      for (let k = i + 1; k <= j; k++) sum -= r[i * n + k] * u[k * n + j]
      u[i * n + j] = sum / r[i * n + i]
    }
  }
  return u
}

/** a · b, or a · bᵀ. */
export function product(a: Square, b: Square, n: number, right: 'plain' | 'transposed' = 'plain'): Square {
  const [step, next] = right === 'plain' ? [n, 1] : [1, n]
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * step + j * next]
      out[i * n + j] = sum
    }
  }
  return out
}

export interface ExactFactors {
  /** U upper with H⁻¹ = UᵀU. */
  readonly inverse: Square
  /** I + N, unit upper with H = (I+N) D (I+N)ᵀ. */
  readonly unit: Square
  /**
   * By how much the two may move, element by element, when each sum is off by `unit roundoff`: a backward stable factor
   * belongs to H + E with |E| ≤ (n + 2) ε |R||R|ᵀ. To first order ΔU is the upper part of U E Uᵀ times U, hence
   * |ΔU| ≤ (n + 2) ε G |U| with G = (|U||R|)(|U||R|)ᵀ, and |ΔR| ≤ (n + 2) ε |R| G. The inverse's own rounding and that of
   * the blocks in between are of the same form; three such terms together. For I + N the diagonal divides once more.
   */
  readonly inverseBound: (epsilon: number) => Square
  readonly unitBound: (epsilon: number) => Square
}

/** Both factors of H with their bounds. */
export function exactFactors(h: Square, n: number): ExactFactors {
  const r = upperFactor(h, n)
  const u = upperInverse(r, n)
  const [absR, absU] = [r.map(Math.abs), u.map(Math.abs)]
  const amplification = product(absU, absR, n)
  const g = product(amplification, amplification, n, 'transposed')
  const gu = product(g, absU, n)
  const rg = product(absR, g, n)
  const scale = (epsilon: number) => 3 * (n + 2) * epsilon
  const column = (index: number) => index % n
  return {
    inverse: u,
    unit: r.map((value, index) => value / r[column(index) * (n + 1)]),
    inverseBound: (epsilon) => gu.map((value) => scale(epsilon) * value),
    unitBound: (epsilon) =>
      rg.map((value, index) => {
        const diagonal = column(index) * (n + 1)
        return (scale(epsilon) * (value + (absR[index] * rg[diagonal]) / r[diagonal])) / r[diagonal]
      }),
  }
}
