import { cayleyInverse } from '../../core/cayley'
import type { DenseMatrix } from '../../core/linear-algebra'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { cayleyGradient, cayleyOperand } from '../../gpu/kernels/cayley'
import { smallProduct } from '../../gpu/kernels/small-product'
import {
  type FactorGradients,
  type SvdFactor,
  sigmaGradient,
  svdFactor,
  svdGradient,
} from '../../gpu/kernels/svd-factor'
import type { LearnedBuffer } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import { readFloats, uploadWords } from '../../gpu/transfer'
import { type FactorParameters, factorMatrices } from './factor'
import { followInverse, type LearnedFactor, uploadLearned } from './learned-factor'

/**
 * A step of Adam moves every entry of K by about the rate, hence I − K/2 by at most rate · size / 2 in norm, and its
 * inverse never exceeds 1. Newton's iteration converges below 1; at 0.5 it has room.
 */
const LARGEST_MOVE = 1

/** One rotation: θ as a full matrix of which the part below the diagonal counts, and N of its Cayley map. */
interface Rotation {
  readonly theta: LearnedBuffer
  readonly n: LearnedBuffer
}

/**
 * Uploads P = U diag(σ) Vᵀ, `learned` = [θ_U, σ, θ_V], carrying the inverses N of both Cayley maps.
 * With Q = 2 N − I everything is a product of small matrices: dN = ½ N dK N, hence gK = Nᵀ gQ Nᵀ.
 * Source: FlatQuant's default form; Cayley map, Helfrich, Willmott and Ye, arXiv 1707.09520.
 */
export function uploadSvdForm(
  gpu: Gpu,
  arena: Arena,
  start: Extract<FactorParameters, { form: 'svd' }>,
): LearnedFactor {
  const size = start.u.rows
  const rotation = (theta: DenseMatrix, label: string): Rotation => ({
    theta: uploadLearned(gpu, arena, theta.data, `theta of ${label}`),
    n: uploadLearned(gpu, arena, cayleyInverse(theta).data, `N of ${label}`),
  })
  const [u, v] = [rotation(start.u, 'U'), rotation(start.v, 'V')]
  const sigma = uploadLearned(gpu, arena, start.sigma, 'sigma')
  const matrices = factorMatrices(start)
  const p = uploadWords(gpu, arena, Float32Array.from(matrices.p.data), 'P')
  const a = uploadWords(gpu, arena, Float32Array.from(matrices.a.data), 'A')
  const factor: SvdFactor = { size, nu: u.n.value, sigma: sigma.value, nv: v.n.value }
  return {
    size,
    p,
    a,
    learned: [u.theta, sigma, v.theta],
    carried: [u.n, v.n],
    largestRate: LARGEST_MOVE / size,
    gradients: (recorder, inner, given) => gradients(recorder, inner, factor, given),
    follow: (recorder, inner) => {
      for (const { theta, n } of [u, v]) {
        const operand = cayleyOperand(recorder, inner, theta.value, size)
        followInverse(recorder, inner, { size, matrix: operand, transposed: false, inverse: n })
      }
      svdFactor(recorder, factor, { p, a })
    },
    readBest: async () => {
      const read = async ({ best, count }: LearnedBuffer) => await readFloats(gpu, best, count)
      const square = (data: Float32Array) => ({ rows: size, cols: size, data: Float64Array.from(data) })
      const [bestU, bestSigma, bestV] = await Promise.all([read(u.theta), read(sigma), read(v.theta)])
      return { form: 'svd', u: square(bestU), sigma: bestSigma, v: square(bestV) }
    },
  }
}

function gradients(
  recorder: Recorder,
  arena: Arena,
  factor: SvdFactor,
  given: FactorGradients,
): readonly [GPUBuffer, GPUBuffer, GPUBuffer] {
  const { size, nu, nv } = factor
  const gU = svdGradient(recorder, arena, factor, { ...given, of: 'u' })
  const gV = svdGradient(recorder, arena, factor, { ...given, of: 'v' })
  return [
    throughCayley(recorder, arena, { size, gQ: gU, n: nu }),
    sigmaGradient(recorder, arena, factor, given),
    throughCayley(recorder, arena, { size, gQ: gV, n: nv }),
  ]
}

/** gKᵀ = N gQᵀ N and from it the gradient of θ; `gQ` is transposed. */
function throughCayley(
  recorder: Recorder,
  arena: Arena,
  { size, gQ, n }: { size: number; gQ: GPUBuffer; n: GPUBuffer },
): GPUBuffer {
  const product = (left: GPUBuffer, right: GPUBuffer) =>
    smallProduct(recorder, arena, { size, left, right, factor: 1, addend: right, addendFactor: 0 })
  return cayleyGradient(recorder, arena, product(product(n, gQ), n), size)
}
