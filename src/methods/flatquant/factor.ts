/** A learned Kronecker factor P on the CPU, in either of FlatQuant's two forms. */
import { cayleyRotation, singularProduct } from '../../core/cayley'
import { type DenseMatrix, inverse, transpose } from '../../core/linear-algebra'

/**
 * 'inverse': P itself is learned. 'svd': P = U diag(σ) Vᵀ, U and V the Cayley rotations of the strictly lower
 * triangles of `u` and `v`, so that P⁻ᵀ = U diag(1/σ) Vᵀ. Shapes: p, u, v [size, size], sigma [size].
 */
export type FactorParameters =
  | { readonly form: 'inverse'; readonly p: DenseMatrix }
  | { readonly form: 'svd'; readonly u: DenseMatrix; readonly sigma: Float32Array; readonly v: DenseMatrix }

export type Parametrisation = FactorParameters['form']

/** P and A = P⁻ᵀ, the factors of the activation and the weight side. */
export interface FactorMatrices {
  readonly p: DenseMatrix
  readonly a: DenseMatrix
}

/** P and A [size, size], in float64. Throws InputError MD-02 for a singular factor learned entry by entry. */
export function factorMatrices(factor: FactorParameters): FactorMatrices {
  if (factor.form === 'inverse') return { p: factor.p, a: transpose(inverse(factor.p)) }
  const [u, v] = [cayleyRotation(factor.u), cayleyRotation(factor.v)]
  const reciprocals = Float64Array.from(factor.sigma, (value) => 1 / value)
  return { p: singularProduct(u, factor.sigma, v), a: singularProduct(u, reciprocals, v) }
}

/** Enough for two correct digits: a power iteration's estimate of the norm errs by less than log(n) / iterations. */
const POWER_ITERATIONS = 200

/** ‖P‖ ‖P⁻¹‖ in spectral norms: 1 for a rotation, larger the more P stretches. */
export function conditionNumber({ p, a }: FactorMatrices): number {
  return spectralNorm(p) * spectralNorm(a)
}

/** The largest singular value, from below, by a power iteration on AᵀA. */
function spectralNorm({ rows, cols, data }: DenseMatrix): number {
  let vector = Float64Array.from({ length: cols }, (_, i) => 1 + Math.sin(i))
  let norm = 0
  for (let iteration = 0; iteration < POWER_ITERATIONS; iteration++) {
    const size = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    const next = new Float64Array(cols)
    let energy = 0
    for (let r = 0; r < rows; r++) {
      let sum = 0
      for (let c = 0; c < cols; c++) sum += (data[r * cols + c] * vector[c]) / size
      energy += sum * sum
      for (let c = 0; c < cols; c++) next[c] += sum * data[r * cols + c]
    }
    norm = Math.sqrt(energy)
    vector = next
  }
  return norm
}
